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

variable "repository" {
  description = "The GitHub repository whose workflows deploy, as owner/name."
  type        = string

  validation {
    condition     = can(regex("^[^/*]+/[^/*]+$", var.repository))
    error_message = "owner/name, without wildcards."
  }
}

variable "has_github_provider" {
  description = "An account has one OIDC provider for GitHub; true when another stage made it."
  type        = bool
  default     = false
}
