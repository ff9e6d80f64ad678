package doctor

import (
	"context"

	"syncd/internal/access"
)

// probeState probes all permissions for the state. It does not read or write any record or lease.
func (p *prober) probeState(ctx context.Context) error {
	if !p.State {
		return nil
	}
	k, at := p.Config.Checkpoint, p.Scope(access.StateBucket)
	c, err := p.open(k.Role, at, s3Setting{url: k.EndpointURL, pathStyle: k.PathStyle})
	if c == nil || err != nil {
		return err
	}
	read, put := p.ask(access.Keeper, "s3:GetObject", access.StateObjects), p.ask(access.Keeper, "s3:PutObject", access.StateObjects)
	list := p.ask(access.Keeper, "s3:ListBucket", access.StateBucket)
	if _, away := p.probeList(ctx, c, list); away != "" {
		p.excuse(away, access.StateObjects, access.StateKey)
		return nil
	}
	p.try(ctx, "GetObject", func(ctx context.Context) error { return missing(c.firstByte(ctx, sample{object: c.probe})) }, list, read)
	e := form{key: k.KMSKey, bucketKey: true}
	p.try(ctx, "PutObject", func(ctx context.Context) error { return c.put(ctx, e) }, put, read)
	p.try(ctx, "DeleteObject", c.remove, p.ask(access.Keeper, "s3:DeleteObject", access.StateObjects))
	if !p.StateKey {
		return nil
	}
	seal, open := p.ask(access.Keeper, "kms:GenerateDataKey", access.StateKey), p.ask(access.Keeper, "kms:Decrypt", access.StateKey)
	begin := func(ctx context.Context) (string, error) { return c.begin(ctx, e, nil) }
	p.probeUpload(ctx, c, begin, func(id string) {
		p.try(ctx, "UploadPart", func(ctx context.Context) error { return c.part(ctx, id) }, put, open)
	}, put, seal)
	return nil
}
