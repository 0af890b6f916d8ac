"""Today's handlers over yesterday's events, in memory: where would they decide differently?"""
