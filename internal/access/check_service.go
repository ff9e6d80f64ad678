package access

import (
	_ "embed"
	"fmt"
	"slices"
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

// checkPrefix judges the service of an action, and reports whether there is such a one.
func (c *checker) checkPrefix(a *node, service string) bool {
	if wild(service) || slices.Contains(c.services, strings.ToLower(service)) {
		return true
	}
	fix := "see the service prefixes in the Service Authorization Reference"
	if meant := meantService(strings.ToLower(service)); meant != "" {
		fix = "write " + meant + ":"
	}
	c.report(unknownService, a, fmt.Sprintf("%s names no service: there is no prefix %s:", a.text, service), fix)
	return false
}

// meantService is the prefix that a wrong one was likely to mean; "" when none is like it. The names of commands are known.
func meantService(service string) string {
	switch service {
	case "s3api", "s3control":
		return "s3"
	case "elb", "elbv2":
		return "elasticloadbalancing"
	case "efs":
		return "elasticfilesystem"
	}
	return nearest(service, []string{"s3", "kms", "sts", "sqs", "iam", "sns", "ec2", "ssm", "logs"})
}

// checkPastedARN finds an ARN where an action belongs, and reports whether it did.
func (c *checker) checkPastedARN(a *node) bool {
	if !strings.HasPrefix(a.text, "arn:") {
		return false
	}
	fix := "move it to Resource, and name the actions"
	if c.d.kind == KindTrust {
		fix = "name the actions; the role itself is the resource"
	}
	c.report(arnAsAction, a, "an ARN stands among the actions: "+a.text, fix)
	return true
}
