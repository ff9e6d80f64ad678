package copier

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/transfer"
)

// getObject asks for content whose body is given up when it stalls: reading it then fails as one that was cut short.
func (c *Copier) getObject(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	ctx, stop := context.WithCancel(ctx)
	out, err := c.o.Source.GetObject(ctx, in)
	if err != nil {
		stop()
		return nil, err
	}
	out.Body = transfer.Watch(out.Body, stop)
	return out, nil
}
