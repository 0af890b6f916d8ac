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

variable "kubernetes_version" {
  description = "The control plane's minor version; Auto Mode's nodes follow it."
  type        = string
  default     = "1.33"
}

variable "admin_role_arns" {
  description = "Roles of people who administer the cluster; nobody becomes one by having made it."
  type        = list(string)
  default     = []
}

variable "public_endpoint_cidrs" {
  description = "Networks that reach the API server from outside; empty leaves the private endpoint alone."
  type        = list(string)
  default     = []

  validation {
    condition     = !contains(var.public_endpoint_cidrs, "0.0.0.0/0")
    error_message = "The whole internet does not reach the API server."
  }
}
