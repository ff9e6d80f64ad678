package doctor

import (
	"context"
	"slices"
	"strings"

	"syncd/internal/access"
	"syncd/internal/awserr"
)

// Why nothing else is tried at a bucket: it is not as the configuration says, or nothing there
// answers.
const (
	wrongBucket = "the bucket is not as the configuration says"
	noAnswer    = "the service could not be reached"
)

// probeList lists the objects under a prefix, and returns why nothing else must be tried there, ""
// when the bucket is there and as the configuration says. Where listing is refused it asks again
// without naming the owner, and with paying: what works then tells what the refusal was about.
func (p *prober) probeList(ctx context.Context, c *bucketClient, k *ask) (samples []sample, away string) {
	a := p.try(ctx, "ListObjectsV2", func(ctx context.Context) (err error) {
		samples, err = c.list(ctx)
		return err
	}, k)
	if a.err == nil {
		return samples, ""
	}
	if a.class == awserr.Denied && k != nil {
		a.known = p.probeWay(ctx, c, k)
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

// probeWay finds out whether a bucket can be listed when something else is said about it than the
// configuration does.
func (p *prober) probeWay(ctx context.Context, c *bucketClient, k *ask) []Cause {
	unowned, paying := *c, *c
	unowned.place.Account, paying.place.RequestPayer = "", true
	for _, v := range []struct {
		client    bucketClient
		differs   bool
		path, why string
	}{
		{unowned, c.place.Account != "", ".account", "the bucket belongs to another account than the configuration says: the request is allowed when it names no owner"},
		{paying, !c.place.RequestPayer && k.On == access.SourceBucket, ".request_payer", "the requester has to pay: the request is allowed when it says that it does"},
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

// look finds the kinds of encryption among the first objects, with one sample of each. One that is
// refused ends it, unless others are not or belong to another account.
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

// refusedSample is an object that was refused, by HEAD, whose answer has no words, and by GET.
type refusedSample struct {
	sample
	head, get *attempt
}

// firstOfEachOwner are the first objects, and the first one of each further account that owns some.
func firstOfEachOwner(listed []sample) []sample {
	chosen := slices.Clone(listed[:min(len(listed), probeLooks)])
	for _, s := range listed[len(chosen):] {
		known := slices.ContainsFunc(chosen, func(c sample) bool { return c.owner == s.owner })
		if !known && len(chosen) < 2*probeLooks {
			chosen = append(chosen, s)
		}
	}
	slices.SortStableFunc(chosen, func(a, b sample) int { // those of the first one's owner first
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

// blameOwners explains objects that are refused while others can be read, one of each owner.
func (p *prober) blameOwners(bucket string, refused []refusedSample, readable string, read *ask) {
	reported := map[string]bool{}
	for _, s := range refused {
		p.attempts = slices.DeleteFunc(p.attempts, func(a *attempt) bool { return a == s.head || a == s.get && reported[s.owner] })
		if reported[s.owner] {
			continue
		}
		reported[s.owner] = true
		name := "s3://" + bucket + "/" + s.object
		sure, why := Likely, "other objects can be read and "+name+" cannot: usually another account has written such objects and owns them"
		if s.owner != readable {
			sure, why = Certain, name+" belongs to another account ("+s.owner+") than the objects that can be read ("+readable+")"
		}
		s.get.known = append(s.get.known, p.explain.owned(read, CauseOwnership, sure, why+`; a bucket policy does not cover them: set Object Ownership of the bucket to `+
			`"Bucket owner enforced", or have them written with bucket-owner-full-control`))
	}
}
