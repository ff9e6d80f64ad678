package config

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"syncd/internal/endpoint"
)

// AccessPoint is an access point of S3: another way into a bucket, with a policy, and perhaps an owner, of its own.
type AccessPoint struct {
	// ARN is arn:PARTITION:s3:REGION:ACCOUNT:accesspoint/NAME.
	ARN string
	// Region is that of the access point and of its bucket.
	Region string
	// Account owns the access point, and not always the bucket.
	Account string
	// Name is unique within account and region.
	Name string
}

// AccessPoint returns the access point through which the source is read; ok is false for a bucket.
func (s Source) AccessPoint() (p AccessPoint, ok bool) {
	text := s.AccessPointARN
	if isARN(s.Bucket) {
		text = s.Bucket
	}
	if text == "" {
		return AccessPoint{}, false
	}
	p, problem, _ := parseAccessPoint(text)
	return p, problem == ""
}

// Identity is what tells the source from others: the ARN of its access point, however that is addressed, else the bucket's name.
func (s Source) Identity() string {
	if p, ok := s.AccessPoint(); ok {
		return p.ARN
	}
	return s.Bucket
}

// Holder is the bucket that holds the objects, "" when it is behind an access point and the configuration does not name it.
func (s Source) Holder() string {
	if _, ok := s.AccessPoint(); ok {
		return s.UnderlyingBucket
	}
	return s.Bucket
}

func isARN(s string) bool { return strings.HasPrefix(s, "arn:") }

const (
	// accessPointAlias ends the alias of an access point, which stands for a bucket's name in requests, and in no policy ("Access
	// points for general purpose buckets aliases", Amazon S3 User Guide).
	accessPointAlias = "-s3alias"
	accessPointHint  = "use arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME"
)

// isAlias reports whether a bucket's name is the alias of an access point.
func isAlias(bucket string) bool { return strings.HasSuffix(bucket, accessPointAlias) }

// The kinds of S3 resource that are none to copy from, as both their names and their ARNs show.
const (
	directoryBucket  = "is a directory bucket (S3 Express), whose listings are not in the order of keys"
	directoryPoint   = "is an access point of a directory bucket (S3 Express), whose listings are not in the order of keys"
	objectLambda     = "is an Object Lambda access point, which changes objects while they are read: sizes and ETags of its listings are not theirs"
	tableBucket      = "is a table bucket (S3 Tables): it holds tables, not objects to copy"
	outpost          = "is an access point on S3 on Outposts, from where nothing can be copied to a Region"
	fileSystemPoint  = "is the alias of an access point of a file system, from which S3 copies nothing to a bucket"
	multiRegionPoint = "is a Multi-Region Access Point, from which S3 copies nothing: it may answer each request from another bucket"
)

// reservedName says why a name that S3 reserves is not that of a bucket to copy from or to, or nothing. The suffixes are those of
// "General purpose bucket naming rules" and of the pages about the other kinds (Amazon S3 User Guide).
func reservedName(bucket string) string {
	for _, r := range [][2]string{
		{"--x-s3", directoryBucket},
		{"--xa-s3", directoryPoint},
		{"--ol-s3", objectLambda},
		{"--op-s3", outpost},
		{"--table-s3", tableBucket},
		{"-ext" + accessPointAlias, fileSystemPoint},
		{".mrap", multiRegionPoint},
	} {
		if strings.HasSuffix(bucket, r[0]) {
			return r[1]
		}
	}
	return ""
}

// reservedPrefix says which beginning of a name no bucket of AWS has, or nothing. Buckets of other services may.
func reservedPrefix(bucket string) string {
	for _, prefix := range []string{"xn--", "sthree-", "amzn-s3-demo-"} {
		if strings.HasPrefix(bucket, prefix) {
			return "begins with " + prefix + ", which S3 reserves: there is no such bucket"
		}
	}
	return ""
}

// parseAccessPoint reads the ARN of an access point of a general purpose bucket, and says what else the text is.
func parseAccessPoint(text string) (p AccessPoint, problem, hint string) {
	a, ok := parseARN(text)
	name, isPoint := strings.CutPrefix(a.resource, "accesspoint/")
	switch {
	case !ok:
		return p, "is not an ARN", accessPointHint
	case a.service == "s3-object-lambda":
		return p, objectLambda, "use the access point behind it"
	case a.service == "s3-outposts":
		return p, outpost, ""
	case a.service == "s3express":
		return p, directoryPoint, ""
	case a.service == "s3tables":
		return p, tableBucket, ""
	case a.service != "s3":
		return p, "is not the ARN of an access point", accessPointHint
	case a.region == "" && a.account == "":
		return p, "is the ARN of a bucket", "use its name, " + strconv.Quote(a.resource)
	case isPoint && (a.region == "" || strings.HasSuffix(name, ".mrap")):
		return p, multiRegionPoint, "use an access point or the bucket of one region"
	case !isPoint || len(name) < 3 || len(name) > 50 || !spelled(name, "-") || name != strings.ToLower(name):
		return p, "is not the ARN of an access point", accessPointHint
	case !isRegion(a.region) || endpoint.Partition(a.region) != a.partition:
		return p, "names no region of the partition " + a.partition, accessPointHint
	case !isDigits(a.account, 12):
		return p, "names no account", accessPointHint
	}
	return AccessPoint{ARN: text, Region: a.region, Account: a.account, Name: name}, "", ""
}

// sourceBucket checks what the source is, and how it is reached.
func (v *validator) sourceBucket(s Source, path string) {
	at, text := path+".bucket", s.Bucket
	switch {
	case isARN(s.Bucket):
		v.check(s.AccessPointARN == "", path+".access_point", "is for the alias of an access point, but bucket is an ARN", "remove it")
	case isAlias(s.Bucket):
		v.bucket(at, s.Bucket, v.compatible(s.EndpointURL))
		at, text = path+".access_point", s.AccessPointARN
		v.check(text != "" || reservedName(s.Bucket) != "", at, "is required: bucket is the alias of an access point, which policies cannot name", accessPointHint)
	default:
		v.bucket(at, s.Bucket, v.compatible(s.EndpointURL))
		v.check(s.AccessPointARN == "", path+".access_point", "is for the alias of an access point, but bucket is none", "remove it, or use the alias")
		v.check(s.UnderlyingBucket == "", path+".underlying_bucket", "is for an access point, but bucket is none", "remove it")
		return
	}
	if text == "" {
		return
	}
	p, problem, hint := parseAccessPoint(text)
	if problem != "" {
		v.fault(at, strconv.Quote(text)+" "+problem, hint)
		return
	}
	v.check(p.Region == s.Region || v.covers(path+".region"), at, strconv.Quote(text)+" is in "+p.Region+", but region is "+strconv.Quote(s.Region), "use the region of the access point")
	v.reachable(s, path)
	v.underlying(s, path)
}

// reachable checks that an ARN becomes the name of a host: S3 takes it in no path, and an IP address has no names below it.
func (v *validator) reachable(s Source, path string) {
	pathStyle := v.AWS.PathStyle
	if s.PathStyle != nil {
		pathStyle = *s.PathStyle
	}
	const hint = "use the alias of the access point, and its ARN as access_point"
	v.check(!isARN(s.Bucket) || !pathStyle, path+".bucket", "is an ARN, which has no place in a path: path_style is set", hint)
	v.check(!isARN(s.Bucket) || !isAddress(cmp.Or(s.EndpointURL, v.AWS.EndpointURL)), path+".bucket",
		"is an ARN, whose access point has no host at an endpoint that is an IP address", hint)
}

// underlying checks the bucket behind an access point. Who owns it is sent with each request, so that it is none of the buckets of
// other accounts; of its own account's it might be one that is written.
func (v *validator) underlying(s Source, path string) {
	if s.UnderlyingBucket != "" {
		v.bucket(path+".underlying_bucket", s.UnderlyingBucket, v.compatible(s.EndpointURL))
		v.check(!isAlias(s.UnderlyingBucket), path+".underlying_bucket", strconv.Quote(s.UnderlyingBucket)+" is an alias itself", "use the name of the bucket")
		return
	}
	const required = "is required: the bucket behind the access point might be "
	if i, ok := v.writers()[writer{s.Account, v.area(s.EndpointURL, s.Region)}]; ok {
		v.fault(path+".underlying_bucket", required+item("mappings", i)+".destination, which has the same account", "name it")
		return
	}
	if location, err := ParseLocation(v.State); err == nil && location.Bucket != "" {
		v.check(v.StateAccount() != s.Account, path+".underlying_bucket", required+"that of state, which has the same account", "name it")
	}
}

// writer is where a mapping writes, as far as an access point says where it reads.
type writer struct{ account, area string }

// writers are the places that mappings write to, each with the first that does.
func (v *validator) writers() map[writer]int {
	if v.written == nil {
		v.written = map[writer]int{}
		for i, m := range slices.Backward(v.Mappings) {
			v.written[writer{m.Destination.Account, v.area(m.Destination.EndpointURL, m.Destination.Region)}] = i
		}
	}
	return v.written
}

// bucket checks the name of a bucket.
func (v *validator) bucket(path, name string, compatible bool) {
	problem := checkBucket(name)
	if problem == "" && !compatible {
		problem = reservedPrefix(name)
	}
	v.check(problem == "", path, strconv.Quote(name)+" "+problem, "")
}

// ownBucket checks the name of a bucket that syncd writes to. That it is no access point says docs/decisions/0020.
func (v *validator) ownBucket(path, name string, compatible bool) {
	switch {
	case isARN(name):
		v.fault(path, strconv.Quote(name)+" is an ARN", "use the name of the bucket")
	case isAlias(name):
		v.fault(path, strconv.Quote(name)+" is the alias of an access point, which hides what overlaps it", "use the name of the bucket")
	default:
		v.bucket(path, name, compatible)
	}
}
