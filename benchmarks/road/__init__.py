"""The whole road on the laptop: orders a second, CPU of an order by process, the screens' push."""
