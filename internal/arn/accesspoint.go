package arn

import (
	"strconv"
	"strings"

	"syncd/internal/ascii"
	"syncd/internal/awsname"
)

// AccessPoint is an S3 access point: another way to access a bucket. It has a separate policy, and
// its owner can be another account than the bucket's owner.
type AccessPoint struct {
	// ARN is arn:PARTITION:s3:REGION:ACCOUNT:accesspoint/NAME.
	ARN string
	// Region is the region of the access point and of its bucket.
	Region string
	// Account is the account that owns the access point. Another account may own the bucket.
	Account string
	// Name is the name of the access point, which is unique within its account and region.
	Name string
}

// Point returns the ARN of an access point.
func Point(partition, region, account, name string) string {
	return ARN{partition, "s3", region, account, "accesspoint/" + name}.String()
}

// AccessPointForm is a hint that shows the form of an access point's ARN.
const AccessPointForm = "use arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME"

// ParseAccessPoint parses the ARN of an access point of a general purpose bucket. If the text is
// something else, the error says what it is.
func ParseAccessPoint(text string) (AccessPoint, error) {
	a, err := Parse(text)
	name, isPoint := strings.CutPrefix(a.Resource, "accesspoint/")
	switch {
	case err != nil:
		return AccessPoint{}, refuse(text, "is not an ARN", AccessPointForm)
	case a.Service != "s3":
		problem, instead := otherService(a.Service)
		return AccessPoint{}, refuse(text, problem, instead)
	case a.Region == "" && a.Account == "":
		return AccessPoint{}, refuse(text, "is the ARN of a bucket", "use its name, "+strconv.Quote(a.Resource))
	case isPoint && (a.Region == "" || strings.HasSuffix(name, ".mrap")):
		return AccessPoint{}, refuse(text, awsname.MultiRegionPoint, "use an access point or the bucket of one region")
	case !isPoint || len(name) < 3 || len(name) > 50 || !ascii.Word(name, "-") || name != strings.ToLower(name):
		return AccessPoint{}, refuse(text, "is not the ARN of an access point", AccessPointForm)
	case !awsname.IsRegion(a.Region) || awsname.Partition(a.Region) != a.Partition:
		return AccessPoint{}, refuse(text, "does not name a region of partition "+a.Partition, AccessPointForm)
	case !a.hasAccount():
		return AccessPoint{}, refuse(text, "does not name an account", AccessPointForm)
	}
	return AccessPoint{ARN: text, Region: a.Region, Account: a.Account, Name: name}, nil
}

// otherService explains an ARN of a service other than S3, and what to use instead.
func otherService(service string) (problem, instead string) {
	switch service {
	case "s3-object-lambda":
		return awsname.ObjectLambda, "use its underlying access point"
	case "s3-outposts":
		return awsname.Outpost, ""
	case "s3express":
		return awsname.DirectoryPoint, ""
	case "s3tables":
		return awsname.TableBucket, ""
	}
	return "is not the ARN of an access point", AccessPointForm
}
