terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # The bucket and the region are given to `init`; S3 itself holds the lock.
  backend "s3" {
    key          = "security.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = {
      project       = "comanda"
      environment   = var.stage
      layer         = "security"
      "cost-center" = "comanda-${var.stage}"
      "data-class"  = "confidential"
    }
  }
}
