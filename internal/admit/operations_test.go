package admit_test

import (
	"bytes"
	"context"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// whole is a complete response to an operation, from which tests remove parts.
type whole struct {
	send   func(context.Context, *answers) error
	status int
	header map[string]string
	body   string
	// lacking contains functions that each remove one part of the response.
	lacking map[string]func(*answers)
}

func dropHeader(name string) func(*answers) { return func(a *answers) { delete(a.header, name) } }

func dropElement(name string) func(*answers) {
	return func(a *answers) {
		before, rest, _ := strings.Cut(a.body, "<"+name+">")
		_, after, _ := strings.Cut(rest, "</"+name+">")
		a.body = before + after
	}
}

func replaceText(from, to string) func(*answers) {
	return func(a *answers) { a.body = strings.ReplaceAll(a.body, from, to) }
}

const etag = `"0123456789abcdef0123456789abcdef"`

func ignore[T any](_ T, err error) error { return err }

func operations() map[string]whole {
	b, k, id := aws.String("bucket"), aws.String("a/key"), aws.String("upload-1")
	return map[string]whole{
		"CopyObject": {
			send: func(ctx context.Context, a *answers) error {
				return ignore(a.s3().CopyObject(ctx, &s3.CopyObjectInput{Bucket: b, Key: k, CopySource: aws.String("x/y")}))
			},
			status: 200, body: `<CopyObjectResult><LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>` + etag + `</ETag></CopyObjectResult>`,
			lacking: map[string]func(*answers){"ETag": dropElement("ETag"), "an ETag that is empty": replaceText(etag, `""`)},
		},
		"PutObject": {
			send: func(ctx context.Context, a *answers) error {
				return ignore(a.s3().PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: k, Body: bytes.NewReader(nil)}))
			},
			status: 200, header: map[string]string{"ETag": etag},
			lacking: map[string]func(*answers){"ETag": dropHeader("ETag")},
		},
		"GetObjectRetention": {
			send: func(ctx context.Context, a *answers) error {
				return ignore(a.s3().GetObjectRetention(ctx, &s3.GetObjectRetentionInput{Bucket: b, Key: k}))
			},
			status: 200, body: `<Retention><Mode>GOVERNANCE</Mode></Retention>`,
			lacking: map[string]func(*answers){"Mode": dropElement("Mode")},
		},
		"GetObjectLegalHold": {
			send: func(ctx context.Context, a *answers) error {
				return ignore(a.s3().GetObjectLegalHold(ctx, &s3.GetObjectLegalHoldInput{Bucket: b, Key: k}))
			},
			status: 200, body: `<LegalHold><Status>OFF</Status></LegalHold>`,
			lacking: map[string]func(*answers){"Status": dropElement("Status")},
		},
		"ListObjectAnnotations": {
			send: func(ctx context.Context, a *answers) error {
				return ignore(a.s3().ListObjectAnnotations(ctx, &s3.ListObjectAnnotationsInput{Bucket: b, Key: k}))
			},
			status: 200, body: `<ListObjectAnnotationsOutput><Key>a/key</Key><Annotations><AnnotationEntry><AnnotationName>n</AnnotationName></AnnotationEntry></Annotations></ListObjectAnnotationsOutput>`,
			lacking: map[string]func(*answers){
				"Key": dropElement("Key"), "another key": replaceText("a/key", "another/key"), "AnnotationName": dropElement("AnnotationName"),
			},
		},
		"GetObjectAnnotation": {
			send: func(ctx context.Context, a *answers) error {
				return ignore(a.s3().GetObjectAnnotation(ctx, &s3.GetObjectAnnotationInput{Bucket: b, Key: k, AnnotationName: aws.String("n")}))
			},
			status: 200, header: map[string]string{"ETag": etag, "Content-Length": "4"}, body: "note",
			lacking: map[string]func(*answers){"ETag": dropHeader("ETag"), "Content-Length": dropHeader("Content-Length")},
		},
		"PutObjectAnnotation": {
			send: func(ctx context.Context, a *answers) error {
				return ignore(a.s3().PutObjectAnnotation(ctx, &s3.PutObjectAnnotationInput{
					Bucket: b, Key: k, AnnotationName: aws.String("n"), AnnotationPayload: strings.NewReader("note"),
				}))
			},
			status: 200, header: map[string]string{"ETag": etag},
			lacking: map[string]func(*answers){"ETag": dropHeader("ETag")},
		},
		"HeadObject": {
			send: func(ctx context.Context, a *answers) error {
				return ignore(a.s3().HeadObject(ctx, &s3.HeadObjectInput{Bucket: b, Key: k, IfMatch: aws.String(etag)}))
			},
			status: 200, header: map[string]string{"ETag": etag, "Last-Modified": "Fri, 02 Jan 2026 03:04:05 GMT", "Content-Length": "7"},
			lacking: map[string]func(*answers){"ETag": dropHeader("ETag"), "Last-Modified": dropHeader("Last-Modified")},
		},
		"GetObject": {
			send: func(ctx context.Context, a *answers) error {
				return ignore(a.s3().GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: k, IfMatch: aws.String(etag)}))
			},
			status: 200, header: map[string]string{"ETag": etag}, body: "content",
			lacking: map[string]func(*answers){"ETag": dropHeader("ETag")},
		},
		"GetObjectTagging": {
			send: func(ctx context.Context, a *answers) error {
				return ignore(a.s3().GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: b, Key: k}))
			},
			status: 200, body: `<Tagging><TagSet></TagSet></Tagging>`,
			lacking: map[string]func(*answers){"TagSet": dropElement("TagSet")},
		},
		"PutObjectTagging": {
			send: func(ctx context.Context, a *answers) error {
				return ignore(a.s3().PutObjectTagging(ctx, &s3.PutObjectTaggingInput{Bucket: b, Key: k, Tagging: &types.Tagging{TagSet: []types.Tag{}}}))
			},
			status: 200, header: map[string]string{"X-Amz-Request-Id": "R"},
			lacking: map[string]func(*answers){"request id": dropHeader("X-Amz-Request-Id"), "its emptiness": func(a *answers) { a.body = "<html/>" }},
		},
		"DeleteObject": {
			send: func(ctx context.Context, a *answers) error {
				return ignore(a.s3().DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: b, Key: k}))
			},
			status: 204, header: map[string]string{"X-Amz-Request-Id": "R"},
			lacking: map[string]func(*answers){"request id": dropHeader("X-Amz-Request-Id"), "status": func(a *answers) { a.status = 200 }},
		},
		"DeleteObjects": {
			send: func(ctx context.Context, a *answers) error {
				return ignore(a.s3().DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: b, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: k}, {Key: aws.String("l")}}}}))
			},
			status: 200, body: `<DeleteResult><Deleted><Key>a/key</Key></Deleted><Error><Key>l</Key><Code>AccessDenied</Code></Error></DeleteResult>`,
			lacking: map[string]func(*answers){
				"a result for 1 of the keys": dropElement("Deleted"), "a result for 1 of the keys, an error": dropElement("Error"), "Code": dropElement("Code"),
				"its keys":   func(a *answers) { a.body = strings.Replace(a.body, ">a/key<", ">other<", 1) },
				"one result": func(a *answers) { a.body = strings.Replace(a.body, ">a/key<", ">l<", 1) },
			},
		},
		"AbortMultipartUpload": {
			send: func(ctx context.Context, a *answers) error {
				return ignore(a.s3().AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: b, Key: k, UploadId: id}))
			},
			status: 204, header: map[string]string{"X-Amz-Request-Id": "R"},
			lacking: map[string]func(*answers){"request id": dropHeader("X-Amz-Request-Id"), "status": func(a *answers) { a.status = 200 }},
		},
		"ListObjectsV2": {
			send: func(ctx context.Context, a *answers) error {
				return ignore(a.s3().ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: b}))
			},
			status: 200, body: `<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>`,
			lacking: map[string]func(*answers){"IsTruncated": dropElement("IsTruncated")},
		},
		"CreateMultipartUpload": {
			send: func(ctx context.Context, a *answers) error {
				return ignore(a.s3().CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: b, Key: k}))
			},
			status: 200, body: `<InitiateMultipartUploadResult><Key>a/key</Key><UploadId>upload-1</UploadId></InitiateMultipartUploadResult>`,
			lacking: map[string]func(*answers){"UploadId": dropElement("UploadId"), "its key": replaceText("a/key", "another")},
		},
		"UploadPart": {
			send: func(ctx context.Context, a *answers) error {
				return ignore(a.s3().UploadPart(ctx, &s3.UploadPartInput{Bucket: b, Key: k, UploadId: id, PartNumber: aws.Int32(1), Body: bytes.NewReader(nil)}))
			},
			status: 200, header: map[string]string{"ETag": etag},
			lacking: map[string]func(*answers){"ETag": dropHeader("ETag")},
		},
		"UploadPartCopy": {
			send: func(ctx context.Context, a *answers) error {
				return ignore(a.s3().UploadPartCopy(ctx, &s3.UploadPartCopyInput{Bucket: b, Key: k, UploadId: id, PartNumber: aws.Int32(1), CopySource: aws.String("x/y")}))
			},
			status: 200, body: `<CopyPartResult><ETag>` + etag + `</ETag></CopyPartResult>`,
			lacking: map[string]func(*answers){"ETag": dropElement("ETag")},
		},
		"CompleteMultipartUpload": {
			send: func(ctx context.Context, a *answers) error {
				return ignore(a.s3().CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: b, Key: k, UploadId: id}))
			},
			status: 200, body: `<CompleteMultipartUploadResult><Key>a/key</Key><ETag>` + etag + `</ETag></CompleteMultipartUploadResult>`,
			lacking: map[string]func(*answers){"ETag": dropElement("ETag"), "its key": replaceText("a/key", "another")},
		},
		"ListParts": {
			send: func(ctx context.Context, a *answers) error {
				return ignore(a.s3().ListParts(ctx, &s3.ListPartsInput{Bucket: b, Key: k, UploadId: id}))
			},
			status: 200, body: `<ListPartsResult><Key>a/key</Key><UploadId>upload-1</UploadId><IsTruncated>false</IsTruncated>` +
				`<Part><PartNumber>1</PartNumber><ETag>` + etag + `</ETag><Size>5</Size></Part></ListPartsResult>`,
			lacking: map[string]func(*answers){
				"IsTruncated": dropElement("IsTruncated"), "its key": replaceText("a/key", "another"), "its upload": replaceText("upload-1", "upload-2"),
				"a part's ETag": dropElement("ETag"), "a part's size": dropElement("Size"), "a part's number": dropElement("PartNumber"),
			},
		},
		"ListMultipartUploads": {
			send: func(ctx context.Context, a *answers) error {
				return ignore(a.s3().ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: b}))
			},
			status: 200, body: `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>` +
				`<Upload><Key>k</Key><UploadId>u</UploadId></Upload></ListMultipartUploadsResult>`,
			lacking: map[string]func(*answers){"IsTruncated": dropElement("IsTruncated"), "an upload's key": dropElement("Key"), "an upload's id": dropElement("UploadId")},
		},
		"AssumeRole": {
			send: func(ctx context.Context, a *answers) error {
				return ignore(a.sts().AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::222222222222:role/r"), RoleSessionName: aws.String("s")}))
			},
			status: 200, body: `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>S</SecretAccessKey>` +
				`<SessionToken>T</SessionToken><Expiration>2026-01-02T03:04:05Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
			lacking: map[string]func(*answers){
				"Credentials": dropElement("Credentials"), "key id": dropElement("AccessKeyId"), "key": dropElement("SecretAccessKey"),
				"token": dropElement("SessionToken"), "end": dropElement("Expiration"),
			},
		},
		"GetCallerIdentity": {
			send: func(ctx context.Context, a *answers) error {
				return ignore(a.sts().GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))
			},
			status: 200, body: `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn</Arn><Account>2</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`,
			lacking: map[string]func(*answers){"Arn": dropElement("Arn"), "Account": dropElement("Account")},
		},
	}
}

func (w whole) answers() *answers {
	return &answers{status: w.status, header: maps.Clone(w.header), body: w.body}
}
