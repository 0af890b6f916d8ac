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

variable "shops" {
  description = "Ids of the shops that this stage serves."
  type        = list(string)

  validation {
    condition     = length(var.shops) > 0 && alltrue([for shop in var.shops : can(regex("^[a-z0-9][a-z0-9-]{1,38}[a-z0-9]$", shop))])
    error_message = "At least one shop; an id is 3 to 40 small letters, digits and dashes."
  }
}
