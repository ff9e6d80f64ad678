package copier_test

import (
	"errors"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/copier"
	"syncd/internal/iam"
)

// TestProbeByARoleThatMayNotRead checks copies to a service other than S3 if the role is not
// allowed to read the destination.
func TestProbeByARoleThatMayNotRead(t *testing.T) {
	for way, w := range ways(t) {
		t.Run(way, func(t *testing.T) {
			w.treats(awsfake.None)
			w.destination.SetPolicy(iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*",
				"Action":"s3:GetObject","Resource":"arn:aws:s3:::consumer-copy/*"}]}`))
			c := copier.New(w.options)
			for range 2 {
				if got, _, err := c.Copy(t.Context(), listed(w.sized(1)), copier.Target{Looked: true}, nil); err != nil {
					t.Errorf("got %+v, %v, want a copy", got, err)
				}
				w.destination.Delete("k")
			}
		})
	}
}

// TestForeignObjectStaysWhereConditionsAreRefused checks that a foreign object is not replaced if
// S3 rejects the condition as unknown.
func TestForeignObjectStaysWhereConditionsAreRefused(t *testing.T) {
	for way, w := range ways(t) {
		t.Run(way, func(t *testing.T) {
			for _, operation := range []string{"CopyObject", "PutObject", "CompleteMultipartUpload"} {
				w.cloud.Inject(awsfake.Fault{Operation: operation, Kind: awsfake.RefuseConditions})
			}
			there := w.putForeign(time.Now().Add(-time.Hour))
			got, _, err := copier.New(w.options).Copy(t.Context(), listed(w.sized(1)), copier.Target{}, nil)
			if now, _ := w.destination.Object("k"); !errors.Is(err, copier.ErrForeign) || now.ETag != there.ETag {
				t.Errorf("got %+v, %v and %+v at the destination, want the object unchanged", got, err, now)
			}
		})
	}
}
