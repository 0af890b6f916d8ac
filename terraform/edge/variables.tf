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

variable "domain" {
  description = "The public domain, whose Route 53 zone exists; null leaves AWS's own names."
  type        = string
  default     = null
}

variable "load_balancer_name" {
  description = "The internal load balancer of the pods' routes; CloudFront waits until it is known."
  type        = string
  default     = null
}
