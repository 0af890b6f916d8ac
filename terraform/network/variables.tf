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

variable "cidr" {
  description = "The VPC's addresses, a /16."
  type        = string
  default     = "10.40.0.0/16"

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && endswith(var.cidr, "/16")
    error_message = "A /16 is needed."
  }
}
