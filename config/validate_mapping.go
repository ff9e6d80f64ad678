package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"syncd/config/fault"
	"syncd/internal/ascii"
	"syncd/internal/hint"
	"syncd/internal/transfer"
)

// mappingRules are the rules for each mapping, and for the names of all mappings.
type mappingRules struct {
	*sideRules
	source *sourceRules
}

// mapping checks one mapping by itself.
func (v mappingRules) mapping(m Mapping, path string) {
	v.check(isMappingName(m.Name), path+".name", strconv.Quote(m.Name)+" is not a name for a mapping",
		"use 1 to 63 of a-z, 0-9 and -, not beginning with -")
	s, d := m.Source, m.Destination
	v.side(side{path + ".source", s.Region, s.Account, s.Role, s.EndpointURL, v.compatible(s.EndpointURL)})
	v.source.sourceBucket(s, path+".source")
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

// prefix rejects a prefix that is too long for any key ("Naming Amazon S3 objects", Amazon S3 User
// Guide).
func (v mappingRules) prefix(path, prefix string) {
	const most = transfer.MaxKeyBytes
	v.check(len(prefix) < most, path, fmt.Sprintf("is %d bytes long, but a key has at most %d", len(prefix), most), "shorten it")
}

func (v mappingRules) storageClass(d Destination, path string) {
	classes := append([]string{StorageClassKeep}, transfer.Classes()...)
	ok := slices.Contains(classes, d.StorageClass) || v.compatible(d.EndpointURL) && d.StorageClass != ""
	v.check(ok, path, strconv.Quote(d.StorageClass)+" is not a storage class", hint.OneOf(d.StorageClass, classes))
}

func (v mappingRules) filter(f Filter, path string) {
	v.check(f.MaxSize == 0 || f.MinSize <= f.MaxSize, path+".min_size",
		f.MinSize.String()+" is more than max_size "+f.MaxSize.String(), "")
	v.check(f.ModifiedAfter.IsZero() || f.ModifiedBefore.IsZero() || f.ModifiedAfter.Before(f.ModifiedBefore.Time),
		path+".modified_after", "is not before modified_before", "")
}

func (v mappingRules) copying(m Mapping, path string) {
	c := m.Copy
	v.check(c.Concurrency <= 4096, path+".concurrency", c.Concurrency.String()+" is out of bounds", "use auto or 1 to 4096")
	v.check(c.PartSize == 0 || int64(c.PartSize) >= transfer.MinPartSize && int64(c.PartSize) <= transfer.MaxPartSize, path+".part_size",
		c.PartSize.String()+" is out of bounds", "use auto or 5MiB to 5GiB")
	v.check(c.MultipartAbove == 0 || int64(c.MultipartAbove) >= transfer.MinPartSize && int64(c.MultipartAbove) <= transfer.MaxCopyObject, path+".multipart_above",
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

// objectLockMax checks that object_lock_max is at most the 100 years that S3 allows ("S3 Object
// Lock", Amazon S3 User Guide), and that retention is copied at all.
func (v mappingRules) objectLockMax(c Copy, path string) {
	const most = 100 * 365 * 24 * time.Hour
	d := c.ObjectLockMax.Duration()
	v.check(d >= 24*time.Hour && d <= most, path, c.ObjectLockMax.String()+" is out of bounds", "use 1d to 100y")
	v.check(c.ObjectLock == CarryCopy, path, "has no effect: retention is not copied", "set object_lock: copy, or remove it")
}

func (v mappingRules) bounds(m Mapping, path string) {
	v.check(m.Delete.MaxPercent >= 0 && m.Delete.MaxPercent <= 100, path+".delete.max_percent",
		strconv.FormatFloat(m.Delete.MaxPercent, 'g', -1, 64)+" is out of bounds", "use 0 to 100")
	v.check(m.Verify.Sample >= 0 && m.Verify.Sample <= 100, path+".verify.sample",
		strconv.FormatFloat(m.Verify.Sample, 'g', -1, 64)+" is out of bounds", "use 0 to 100, in percent")
	v.notNegative(path+".delete.max_objects", float64(m.Delete.MaxObjects))
	v.check(m.Delete.AfterPasses >= 1, path+".delete.after_passes", strconv.FormatInt(m.Delete.AfterPasses, 10)+" is out of bounds", "use 1 or more")
	v.notNegative(path+".limits.requests_per_second", float64(m.Limits.RequestsPerSecond))
	v.notNegative(path+".limits.kms_requests_per_second", float64(m.Limits.KMSRequestsPerSecond))
	v.notNegative(path+".limits.cost_usd", m.Limits.CostUSD)
}

// tagKeys checks the keys of tags against the limits of S3: 1 to 128 Unicode characters, with the
// prefix aws: reserved ("Object tagging", Amazon S3 User Guide). An object has at most ten tags,
// but objects can have different tags, so the list may have up to a thousand keys.
func (v mappingRules) tagKeys(keys []string, path string) {
	const most = 1000
	v.check(keys == nil || len(keys) > 0, path, "is empty", "name a key, or use omit")
	if len(keys) > most {
		v.fault(path, fmt.Sprintf("has %d keys", len(keys)), fmt.Sprintf("use at most %d", most))
		return
	}
	listed := map[string]bool{}
	for i, key := range keys {
		at := fault.Item(path, i)
		quoted := strconv.Quote(key)
		v.check(key != "" && utf8.RuneCountInString(key) <= 128 && utf8.ValidString(key), at, quoted+" is not 1 to 128 characters long", "")
		v.check(!strings.HasPrefix(strings.ToLower(key), "aws:"), at, quoted+" is reserved: only AWS sets keys that begin with aws:", "leave it out")
		v.check(!listed[key], at, quoted+" is listed twice", "keep one of them")
		listed[key] = true
	}
}

// names checks that no two mappings have the same name.
func (v mappingRules) names() {
	first := map[string]int{}
	for i, m := range v.Mappings {
		if j, taken := first[m.Name]; taken && m.Name != "" {
			v.fault(fault.Child(fault.Item("mappings", i), "name"), strconv.Quote(m.Name)+" is the name of "+fault.Item("mappings", j)+" too",
				"give each mapping its own name")
			continue
		}
		first[m.Name] = i
	}
}

// isMappingName reports whether s is a valid mapping name, which becomes a metric label and a part
// of the ledger's keys.
func isMappingName(s string) bool {
	return len(s) <= 63 && ascii.Word(s, "-") && s == strings.ToLower(s) && s[0] != '-'
}
