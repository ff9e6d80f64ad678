package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"syncd/internal/transfer"
)

// side is what a source and a destination have in common.
type side struct {
	path, region, account, role, endpoint string
	compatible                            bool // an endpoint stands for AWS: accounts, regions and keys may have another form
}

// mapping checks one mapping by itself.
func (v *validator) mapping(m Mapping, path string) {
	v.check(isMappingName(m.Name), path+".name", strconv.Quote(m.Name)+" is not a name for a mapping",
		"use 1 to 63 of a-z, 0-9 and -, not beginning with -")
	s, d := m.Source, m.Destination
	v.side(side{path + ".source", s.Region, s.Account, s.Role, s.EndpointURL, v.compatible(s.EndpointURL)})
	v.sourceBucket(s, path+".source")
	v.ownBucket(path+".destination.bucket", d.Bucket, v.compatible(d.EndpointURL))
	v.side(side{path + ".destination", d.Region, d.Account, d.Role, d.EndpointURL, v.compatible(d.EndpointURL)})
	v.prefix(path+".source.prefix", s.Prefix)
	v.prefix(path+".destination.prefix", d.Prefix)
	v.bucketInPath(path+".source.endpoint_url", s.EndpointURL, s.Bucket)
	v.bucketInPath(path+".destination.endpoint_url", d.EndpointURL, d.Bucket)
	v.endpointRegion(path+".source.endpoint_url", s.EndpointURL, s.Region)
	v.endpointRegion(path+".destination.endpoint_url", d.EndpointURL, d.Region)
	v.key(d.KMSKey, d.Region, v.compatible(d.EndpointURL), path+".destination.kms_key")
	v.storageClass(d, path+".destination.storage_class")
	v.filter(m.Filter, path+".filter")
	v.copying(m, path+".copy")
	v.bounds(m, path)
	v.between(path+".jitter", m.Jitter, 0, time.Hour)
}

func (v *validator) side(s side) {
	v.region(s.path+".region", s.region, s.compatible)
	v.account(s)
	v.endpointOfS3(s.path+".endpoint_url", s.endpoint)
	v.roleExists(s.path+".role", s.role)
}

// prefix refuses what no key begins with ("Naming Amazon S3 objects", Amazon S3 User Guide).
func (v *validator) prefix(path, prefix string) {
	const most = transfer.MaxKeyBytes
	v.check(len(prefix) < most, path, fmt.Sprintf("is %d bytes long, and a key has at most %d", len(prefix), most), "shorten it")
}

func (v *validator) account(s side) {
	path := s.path + ".account"
	const hint = "use the 12 digits of the account that owns the bucket, in quotes"
	switch {
	case isDigits(s.account, 12), s.compatible:
	case s.account == "":
		v.fault(path, "is required", hint)
	default:
		v.fault(path, strconv.Quote(s.account)+" is not an AWS account", cmp.Or(accountHint(s.account), hint))
	}
}

// accountHint is a hint at an account that was written in groups of digits, as consoles show it.
func accountHint(text string) string {
	if digits := strings.NewReplacer("-", "", " ", "").Replace(text); isDigits(digits, 12) {
		return "did you mean " + strconv.Quote(digits) + "?"
	}
	return ""
}

func (v *validator) roleExists(path, name string) {
	if _, ok := v.Roles[name]; ok || name == "" || v.covers("roles") && len(v.Roles) == 0 {
		return
	}
	names := v.roleNames()
	hint := "add it to roles"
	if len(names) > 0 {
		hint = cmp.Or(didYouMean(name, names), hint)
	}
	v.fault(path, "no role is called "+strconv.Quote(name), hint)
}

// key checks the ARN of a KMS key that encrypts what is written to a bucket of the region.
func (v *validator) key(key, region string, compatible bool, path string) {
	const hint = "use arn:aws:kms:REGION:ACCOUNT:key/ID"
	a, ok := parseARN(key)
	id, isKey := strings.CutPrefix(a.resource, "key/")
	isKMS := ok && a.service == "kms" && isDigits(a.account, 12) && a.region != ""
	quoted := strconv.Quote(key)
	switch {
	case key == "":
		v.fault(path, "is empty", hint)
	case compatible:
	case strings.HasPrefix(cmp.Or(a.resource, key), "alias/"):
		v.fault(path, quoted+" is an alias, which KMS looks up in the caller's account", hint)
	case !ok && spelled(key, "-"):
		v.fault(path, quoted+" is a bare key id, which KMS looks up in the caller's account", hint)
	case !isKMS || !isKey || !spelled(id, "-"):
		v.fault(path, quoted+" is not a key ARN", hint)
	case a.region != region && !v.covers(strings.TrimSuffix(path, "kms_key")+"region"):
		v.fault(path, quoted+" is a key of "+a.region+", but the bucket is in "+strconv.Quote(region), "use a key of the bucket's region")
	}
}

func (v *validator) storageClass(d Destination, path string) {
	classes := append([]string{StorageClassKeep}, transfer.Classes()...)
	ok := slices.Contains(classes, d.StorageClass) || v.compatible(d.EndpointURL) && d.StorageClass != ""
	v.check(ok, path, strconv.Quote(d.StorageClass)+" is not a storage class", suggest(d.StorageClass, classes))
}

func (v *validator) filter(f Filter, path string) {
	v.check(f.MaxSize == 0 || f.MinSize <= f.MaxSize, path+".min_size",
		f.MinSize.String()+" is more than max_size "+f.MaxSize.String(), "")
	v.check(f.ModifiedAfter.IsZero() || f.ModifiedBefore.IsZero() || f.ModifiedAfter.Before(f.ModifiedBefore.Time),
		path+".modified_after", "is not before modified_before", "")
}

func (v *validator) copying(m Mapping, path string) {
	c := m.Copy
	v.check(c.Concurrency <= 4096, path+".concurrency", c.Concurrency.String()+" is out of bounds", "use auto or 1 to 4096")
	v.check(c.PartSize == 0 || c.PartSize >= AutoSize(transfer.MinPartSize) && c.PartSize <= AutoSize(transfer.MaxPartSize), path+".part_size",
		c.PartSize.String()+" is out of bounds", "use auto or 5MiB to 5GiB")
	v.check(c.MultipartAbove == 0 || c.MultipartAbove >= AutoSize(transfer.MinPartSize) && c.MultipartAbove <= AutoSize(transfer.MaxCopyObject), path+".multipart_above",
		c.MultipartAbove.String()+" is out of bounds", "use auto or 5MiB to 5GiB")
	v.tagKeys(c.Tags.Only, path+".tags.only")
	if c.ObjectLockMax != 0 {
		v.objectLockMax(c, path+".object_lock_max")
	}
	source, destination := v.Places(m)
	v.check(c.Mode != CopyModeServerSide || source.SameService(destination), path+".mode",
		"server_side cannot copy between two endpoints", "use auto or relay")
	v.check(c.Mode != CopyModeServerSide || !transfer.LeavesAccessPoint(source, destination), path+".mode",
		"server_side cannot copy from an access point to another region", "use auto or relay, or the name of the bucket")
}

// objectLockMax checks the bound of retentions against S3's own ("S3 Object Lock", Amazon S3 User Guide: 100 years), and that there
// is something to bound.
func (v *validator) objectLockMax(c Copy, path string) {
	const most = 100 * 365 * day
	d := c.ObjectLockMax.Duration()
	v.check(d >= day && d <= most, path, c.ObjectLockMax.String()+" is out of bounds", "use 1d to 100y")
	v.check(c.ObjectLock == CarryCopy, path, "bounds nothing: no retention is copied", "set object_lock: copy, or remove it")
}

func (v *validator) bounds(m Mapping, path string) {
	v.check(m.Delete.MaxPercent >= 0 && m.Delete.MaxPercent <= 100, path+".delete.max_percent",
		strconv.FormatFloat(m.Delete.MaxPercent, 'g', -1, 64)+" is out of bounds", "use 0 to 100")
	v.notNegative(path+".delete.max_objects", float64(m.Delete.MaxObjects))
	v.notNegative(path+".limits.requests_per_second", float64(m.Limits.RequestsPerSecond))
	v.notNegative(path+".limits.kms_requests_per_second", float64(m.Limits.KMSRequestsPerSecond))
	v.notNegative(path+".limits.cost_usd", m.Limits.CostUSD)
}

func (v *validator) notNegative(path string, n float64) {
	v.check(n >= 0, path, strconv.FormatFloat(n, 'g', -1, 64)+" is negative", "")
}
