package doctor

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/access"
	"syncd/internal/awserr"
	"syncd/internal/creds"
)

// prober probes the permissions of one mapping.
type prober struct {
	access.View
	*evidence
	explain *explainer
	set     *creds.Set
}

// open returns a client for a bucket with a role's session, or nil if the role has no session.
func (p *prober) open(role string, at access.Scope, setting s3Setting) (*bucketClient, error) {
	if p.blocked[role] != "" {
		return nil, nil
	}
	config, err := p.set.Config(role, at.Region)
	if err != nil {
		return nil, err
	}
	c := &bucketClient{place: at.Place, arn: at.BucketARN(), probe: at.Prefix + ".syncd-doctor-" + rand.Text()}
	c.client = s3.NewFromConfig(config, func(o *s3.Options) {
		if url := cmp.Or(setting.url, p.Config.AWS.EndpointURL); url != "" {
			o.BaseEndpoint = &url
		}
		o.UsePathStyle = p.Config.AWS.PathStyle
		if setting.pathStyle != nil {
			o.UsePathStyle = *setting.pathStyle
		}
		o.RetryMaxAttempts = probeAttempts
		o.DisableLogOutputChecksumValidationSkipped = true
	})
	return c, nil
}

// probeUpload starts an upload, calls done with its ID and aborts the upload, even if the diagnosis
// is interrupted. The session that started an upload may always abort it. done may be nil.
func (p *prober) probeUpload(ctx context.Context, c *bucketClient, begin func(context.Context) (string, error), done func(id string), asks ...*ask) {
	var id string
	a := p.try(ctx, "CreateMultipartUpload", func(ctx context.Context) (err error) {
		id, err = begin(ctx)
		return err
	}, asks...)
	if a.err != nil {
		return
	}
	defer func() {
		if err := bounded(context.WithoutCancel(ctx), func(ctx context.Context) error { return missing(c.abort(ctx, id)) }); err != nil {
			p.leftovers = append(p.leftovers, fmt.Sprintf("upload %s of s3://%s/%s: %s", id, c.place.Bucket, c.probe, awserr.Brief(err)))
		}
	}()
	if done != nil {
		done(id)
	}
}
