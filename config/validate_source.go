package config

import (
	"cmp"
	"slices"
	"strconv"

	"syncd/config/fault"
	"syncd/internal/arn"
	"syncd/internal/awsname"
	"syncd/internal/endpoint"
	"syncd/internal/transfer"
)

// sourceRules are the rules for the source, which may be an access point.
type sourceRules struct {
	*sideRules
	written map[writer]int // see writers
}

// sourceBucket checks the bucket or access point of the source, and that requests to an access
// point can use the source's endpoint.
func (v *sourceRules) sourceBucket(s Source, path string) {
	at, text := path+".bucket", s.Bucket
	switch {
	case arn.Is(s.Bucket):
		v.check(s.AccessPointARN == "", path+".access_point", "is for an access point alias, but bucket is an ARN", "remove it")
	case awsname.IsAlias(s.Bucket):
		v.bucket(at, s.Bucket, v.compatible(s.EndpointURL))
		at, text = path+".access_point", s.AccessPointARN
		v.check(text != "" || awsname.ReservedName(s.Bucket) != "", at, "is required: bucket is an access point alias, and policies cannot name an alias", arn.AccessPointForm)
	default:
		v.bucket(at, s.Bucket, v.compatible(s.EndpointURL))
		v.check(s.AccessPointARN == "", path+".access_point", "is for an access point alias, but bucket is not an alias", "remove it, or use the alias")
		v.check(s.UnderlyingBucket == "", path+".underlying_bucket", "is for an access point, but bucket is not an access point", "remove it")
		return
	}
	if text == "" {
		return
	}
	p, err := arn.ParseAccessPoint(text)
	if err != nil {
		v.refused(at, err)
		return
	}
	v.check(p.Region == s.Region || v.Covers(path+".region"), at, strconv.Quote(text)+" is in "+p.Region+", but region is "+strconv.Quote(s.Region), "use the region of the access point")
	v.reachable(s, path)
	v.underlying(s, path)
}

// reachable checks that an ARN can become a host name: S3 does not accept an ARN in the path, and
// an IP address has no subdomains.
func (v *sourceRules) reachable(s Source, path string) {
	pathStyle := v.AWS.PathStyle
	if s.PathStyle != nil {
		pathStyle = *s.PathStyle
	}
	const hint = "use the alias of the access point, and its ARN as access_point"
	v.check(!arn.Is(s.Bucket) || !pathStyle, path+".bucket", "is an ARN, which cannot be used with path_style", hint)
	v.check(!arn.Is(s.Bucket) || !endpoint.IsAddress(cmp.Or(s.EndpointURL, v.AWS.EndpointURL)), path+".bucket",
		"is an ARN, which cannot be used with an endpoint that is an IP address", hint)
}

// underlying checks the bucket behind an access point. Every request sends the source's account as
// the expected owner, so the bucket belongs to this account. A destination or the state in the same
// account could be this bucket; then underlying_bucket is required.
func (v *sourceRules) underlying(s Source, path string) {
	if s.UnderlyingBucket != "" {
		v.bucket(path+".underlying_bucket", s.UnderlyingBucket, v.compatible(s.EndpointURL))
		v.check(!awsname.IsAlias(s.UnderlyingBucket), path+".underlying_bucket", strconv.Quote(s.UnderlyingBucket)+" is an alias itself", "use the name of the bucket")
		return
	}
	const required = "is required: the bucket of the access point could be "
	here := transfer.Place{Region: s.Region}.At(v.endpoint(s.EndpointURL))
	if i, ok := v.writers()[writer{s.Account, areaOf(here)}]; ok {
		v.fault(path+".underlying_bucket", required+fault.Item("mappings", i)+".destination, which has the same account", "set it to the name of the bucket behind the access point")
		return
	}
	if state, ok := v.StatePlace(); ok {
		v.check(state.Account != s.Account, path+".underlying_bucket", required+"the state bucket, which has the same account", "set it to the name of the bucket behind the access point")
	}
}

// writer is the account and the area of a bucket that a mapping writes to. This is all that is
// known about the bucket behind an access point without underlying_bucket.
type writer struct{ account, area string }

// writers returns the places that mappings write to, each with the index of the first mapping that
// does.
func (v *sourceRules) writers() map[writer]int {
	if v.written == nil {
		v.written = map[writer]int{}
		for i, m := range slices.Backward(v.Mappings) {
			_, to := v.Places(m)
			v.written[writer{to.Account, areaOf(to)}] = i
		}
	}
	return v.written
}
