package catalogue

import (
	_ "embed"
	"strings"
)

//go:embed services.txt
var servicesText string

// services are the service prefixes under a heading of services.txt.
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

// MeantService is the prefix that a wrong one was likely to mean; "" when none is like it. The
// names of commands are known.
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
