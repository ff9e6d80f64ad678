package awsname

import (
	"slices"
	"strings"
)

// partition is an AWS partition: its name, the prefix of its region names, and the domain of its
// services ("AWS service endpoints", AWS General Reference).
type partition struct{ name, regions, domain string }

// partitions returns the partitions of AWS. The first partition contains every region that is in no
// other partition.
func partitions() []partition {
	return []partition{
		{"aws", "", "amazonaws.com"},
		{"aws-cn", "cn-", "amazonaws.com.cn"},
		{"aws-us-gov", "us-gov-", "amazonaws.com"},
		{"aws-iso", "us-iso-", "c2s.ic.gov"},
		{"aws-iso-b", "us-isob-", "sc2s.sgov.gov"},
		{"aws-iso-e", "eu-isoe-", "cloud.adc-e.uk"},
		{"aws-iso-f", "us-isof-", "csp.hci.ic.gov"},
		{"aws-eusc", "eusc-", "amazonaws.eu"},
	}
}

// partitionOf returns the partition of a region.
func partitionOf(region string) partition {
	all := partitions()
	for _, p := range all[1:] {
		if strings.HasPrefix(region, p.regions) {
			return p
		}
	}
	return all[0]
}

// Partition returns the name of a region's partition. Bucket names are unique within a partition
// ("General purpose bucket naming rules", Amazon S3 User Guide).
func Partition(region string) string { return partitionOf(region).name }

// Domain returns the domain of AWS services in a region, such as amazonaws.com.
func Domain(region string) string { return partitionOf(region).domain }

// Domains returns the DNS domains of AWS service endpoints in all partitions, including the domain
// of dual-stack endpoints.
func Domains() []string {
	domains := []string{"api.aws"}
	for _, p := range partitions() {
		domains = append(domains, p.domain)
	}
	slices.Sort(domains)
	return slices.Compact(domains)
}

// Partitions returns the names of all AWS partitions.
func Partitions() []string {
	var names []string
	for _, p := range partitions() {
		names = append(names, p.name)
	}
	return names
}
