variable "stage" {
  description = "Names everything: comanda-<stage>-…"
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,11}$", var.stage))
    error_message = "A stage is 2 to 12 small letters and digits, a letter first."
  }
}

variable "region" {
  description = "Where it runs."
  type        = string
  default     = "sa-east-1"
}

variable "profile" {
  description = "Which column of profiles.json: lean or production."
  type        = string
  default     = "lean"

  validation {
    condition     = contains(["lean", "production"], var.profile)
    error_message = "A profile is lean or production."
  }
}

variable "deletion_protection" {
  description = "Refuse to delete stores; false only on the way to `make destroy`."
  type        = bool
  default     = true
}

variable "cache_enabled" {
  description = "A read cache for menus; null leaves it to the profile, where it is off."
  type        = bool
  default     = null
}
