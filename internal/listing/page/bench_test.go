package page_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/listing/page"
)

// fullPage returns a page of 1,000 objects, as S3 formats it.
func fullPage() []byte {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>owner-data</Name><Prefix></Prefix>`)
	b.WriteString(`<KeyCount>1000</KeyCount><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>`)
	for i := range 1000 {
		fmt.Fprintf(&b, "<Contents><Key>exports/2026/part-%05d.parquet</Key><LastModified>2026-01-02T03:04:%02d.000Z</LastModified><ETag>&quot;%032x&quot;</ETag>"+
			"<ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType><Size>%d</Size><StorageClass>STANDARD</StorageClass></Contents>", i, i%60, i, 1000+i)
	}
	b.WriteString("</ListBucketResult>")
	return b.Bytes()
}

// BenchmarkDecode measures the decoder alone, without the request, with the objects as values and as
// the SDK has them, with a pointer for each field.
func BenchmarkDecode(b *testing.B) {
	body := fullPage()
	run := func(name string, decode func() (int, error)) {
		b.Run("into="+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if n, err := decode(); err != nil || n != 1000 {
					b.Fatal(n, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/key")
		})
	}
	run("values", func() (int, error) {
		objects := make([]page.Entry, 0, 1000)
		_, err := page.Decode(bytes.NewReader(body), func(e page.Entry) { objects = append(objects, e) })
		return len(objects), err
	})
	run("sdk", func() (int, error) {
		objects := make([]types.Object, 0, 1000)
		_, err := page.Decode(bytes.NewReader(body), func(e page.Entry) {
			objects = append(objects, types.Object{
				Key: aws.String(e.Key), ETag: aws.String(e.ETag), Size: aws.Int64(e.Size), LastModified: aws.Time(e.LastModified),
				StorageClass: types.ObjectStorageClass(e.StorageClass),
			})
		})
		return len(objects), err
	})
}
