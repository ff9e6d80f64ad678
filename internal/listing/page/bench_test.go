package page_test

import (
	"bytes"
	"fmt"
	"testing"

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

// BenchmarkDecode measures the decoder alone, without the request.
func BenchmarkDecode(b *testing.B) {
	body := fullPage()
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		if _, err := page.Decode(bytes.NewReader(body), func(page.Entry) { n++ }); err != nil || n != 1000 {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/key")
}
