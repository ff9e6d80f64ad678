package doctor

import (
	"context"
	"slices"
	"strings"

	"syncd/internal/access"
	"syncd/internal/awserr"
)

// Reasons to skip all other probes of a bucket.
const (
	wrongBucket = "the bucket does not match the configuration"
	noAnswer    = "the service could not be reached"
)

// probeList lists the first objects under the prefix. away is the reason why no other request to
// the bucket can succeed, or "" if other probes are useful. If listing is denied, probeList tries
// again without the expected owner, then with the requester-pays header. If one of these attempts
// succeeds, the changed setting is the cause of the denial.
func (p *prober) probeList(ctx context.Context, c *bucketClient, k *ask) (samples []sample, away string) {
	a := p.try(ctx, "ListObjectsV2", func(ctx context.Context) (err error) {
		samples, err = c.list(ctx)
		return err
	}, k)
	if a.err == nil {
		return samples, ""
	}
	if a.class == awserr.Denied && k != nil {
		a.known = p.probeSettings(ctx, c, k)
	}
	switch {
	case k != nil && p.blocked[k.Role] != "":
		return nil, p.blocked[k.Role]
	case awserr.IsAway(a.err):
		return nil, noAnswer
	case len(a.known) > 0 || a.class == awserr.NoBucket || a.class == awserr.WrongRegion:
		return nil, wrongBucket
	default:
		return nil, ""
	}
}

// probeSettings tries to list the bucket with settings that differ from the configured ones. It
// returns the cause that names the wrong setting, or nil if no attempt succeeds.
func (p *prober) probeSettings(ctx context.Context, c *bucketClient, k *ask) []Cause {
	unowned, paying := *c, *c
	unowned.place.Account, paying.place.RequestPayer = "", true
	for _, v := range []struct {
		client    bucketClient
		differs   bool
		path, why string
	}{
		{unowned, c.place.Account != "", ".account", "the bucket belongs to a different account than configured: the request is allowed without an expected owner"},
		{paying, !c.place.RequestPayer && k.On == access.SourceBucket, ".request_payer", "the requester must pay: the request is allowed with the requester-pays header"},
	} {
		if !v.differs {
			continue
		}
		err := bounded(ctx, func(ctx context.Context) error {
			_, err := v.client.list(ctx)
			return err
		})
		if err == nil {
			return []Cause{misconfigured(p.explain.sideOf(k)+v.path, v.why)}
		}
	}
	return nil
}

// look checks some of the listed objects and returns one readable sample for each kind of
// encryption. It stops at the first denied object, unless it has already read an object or the
// listed objects belong to several accounts.
func (p *prober) look(ctx context.Context, c *bucketClient, listed []sample, read *ask) (kinds []sample) {
	type kind struct {
		key       string
		bucketKey bool
	}
	seen := map[kind]bool{}
	var refused []refusedSample
	chosen := firstOfEachOwner(listed)
	for _, s := range chosen {
		head := p.try(ctx, "HeadObject", func(ctx context.Context) error { return missing(c.head(ctx, &s, c.arn)) }, read)
		if head.err != nil {
			get := p.try(ctx, "GetObject", func(ctx context.Context) error { return c.firstByte(ctx, s) }, read)
			if get.class != awserr.Denied || len(kinds) == 0 && chosen[0].owner == chosen[len(chosen)-1].owner {
				return kinds
			}
			refused = append(refused, refusedSample{s, head, get})
			continue
		}
		if k := (kind{s.key, s.context == c.arn}); !seen[k] {
			seen[k] = true
			kinds = append(kinds, s)
		}
	}
	if len(kinds) > 0 && read != nil {
		p.blameOwners(c.place.Bucket, refused, kinds[0].owner, read)
	}
	return kinds
}

// refusedSample is an object for which both HEAD and GET failed. Only the response to GET contains
// a reason.
type refusedSample struct {
	sample
	head, get *attempt
}

// firstOfEachOwner returns the first probeLooks objects. For each account that owns none of these,
// it adds the account's first object. It returns at most 2*probeLooks objects.
func firstOfEachOwner(listed []sample) []sample {
	chosen := slices.Clone(listed[:min(len(listed), probeLooks)])
	for _, s := range listed[len(chosen):] {
		known := slices.ContainsFunc(chosen, func(c sample) bool { return c.owner == s.owner })
		if !known && len(chosen) < 2*probeLooks {
			chosen = append(chosen, s)
		}
	}
	slices.SortStableFunc(chosen, func(a, b sample) int { // objects of the first object's owner come first
		return strings.Compare(ownerOrder(a, listed[0]), ownerOrder(b, listed[0]))
	})
	return chosen
}

func ownerOrder(s, first sample) string {
	if s.owner == first.owner {
		return ""
	}
	return "other " + s.owner
}

// blameOwners adds a cause for each account that owns denied objects, if other objects can be read.
func (p *prober) blameOwners(bucket string, refused []refusedSample, readable string, read *ask) {
	reported := map[string]bool{}
	for _, s := range refused {
		p.attempts = slices.DeleteFunc(p.attempts, func(a *attempt) bool { return a == s.head || a == s.get && reported[s.owner] })
		if reported[s.owner] {
			continue
		}
		reported[s.owner] = true
		name := "s3://" + bucket + "/" + s.object
		sure, why := Likely, "other objects can be read, but "+name+" cannot: usually another account wrote such objects and owns them"
		if s.owner != readable {
			sure, why = Certain, name+" belongs to another account ("+s.owner+") than the objects that can be read ("+readable+")"
		}
		s.get.known = append(s.get.known, p.explain.resourceCause(read, CauseOwnership, sure, why+`; a bucket policy does not cover objects that another account owns: set Object Ownership of the bucket to `+
			`"Bucket owner enforced", or have the writer set the ACL bucket-owner-full-control`))
	}
}
