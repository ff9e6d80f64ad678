package catalogue

import (
	_ "embed"
	"strings"
)

//go:embed services.txt
var servicesText string

// services returns the service prefixes under a heading of services.txt.
func services(heading string) (list []string) {
	within := false
	for line := range strings.Lines(servicesText) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.HasSuffix(line, ":"):
			within = line == heading+":"
		case within:
			list = append(list, strings.Fields(line)...)
		}
	}
	return list
}

// MeantService returns the likely intended prefix for an unknown one, or "" if no prefix is
// similar. For the name of an AWS CLI command that differs from the prefix of its service, such as
// s3api, it returns the prefix of that service.
func MeantService(service string) string {
	switch service {
	case "s3api", "s3control":
		return "s3"
	case "elb", "elbv2":
		return "elasticloadbalancing"
	case "efs":
		return "elasticfilesystem"
	}
	return Nearest(service, []string{"s3", "kms", "sts", "sqs", "iam", "sns", "ec2", "ssm", "logs"})
}
