package access

import (
	"encoding/json"
	"slices"
	"testing"
)

// TestMeantAction suggests what exists.
func TestMeantAction(t *testing.T) {
	c := readCatalogue()
	tests := map[string]string{
		"s3:HeadObject": "s3:GetObject", "s3:ListObjectsV2": "s3:ListBucket", "s3:ListObjects": "s3:ListBucket", "s3:CopyObject": "s3:PutObject",
		"s3:UploadPartCopy": "s3:PutObject", "s3:ListParts": "s3:ListMultipartUploadParts", "s3:DeleteObjects": "s3:DeleteObject",
		"s3:GetBucketEncryption": "s3:GetEncryptionConfiguration", "kms:ReEncrypt": "kms:ReEncrypt*", "s3:GetObjects": "s3:GetObject",
		"sts:AsumeRole": "sts:AssumeRole", "sqs:RecieveMessage": "sqs:ReceiveMessage", "s3:Frobnicate": "",
	}
	for name, want := range tests {
		got := c.meantAction(name)
		if got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
		if len(c.Matching(name)) > 0 {
			t.Errorf("%s: got an action, want none of that name", name)
		}
		if got != "" && len(c.Matching(got)) == 0 {
			t.Errorf("%s: got the suggestion %s, want one that exists", name, got)
		}
	}
}

func TestCovers(t *testing.T) {
	tests := []struct {
		pattern, other string
		want           bool
	}{
		{"*", "s3:GetObject", true},
		{"s3:Get*", "s3:GetObject", true},
		{"s3:Get*", "s3:Get*", true},
		{"s3:Get*", "s3:G*", false},
		{"s3:*Object", "s3:Get*", false},
		{"a?c", "abc", true},
		{"a?c", "a*c", false},
		{"a*b*c", "aXbYc", true},
		{"a*b*c", "ac", false},
		{"", "", true},
		{"a", "", false},
	}
	for _, tt := range tests {
		if got := covers(tt.pattern, tt.other); got != tt.want {
			t.Errorf("covers(%q, %q): got %v, want %v", tt.pattern, tt.other, got, tt.want)
		}
	}
}

// TestWithin undoes the escapes of a string as encoding/json does, and knows where every byte came from.
func TestWithin(t *testing.T) {
	for _, quoted := range []string{
		`"plain"`, `"a\"b\\c\/d"`, `"line\nand\ttab\r\b\f"`, `"é and \u00e9"`, `"\ud83d\ude00!"`, `"😀"`, `""`, `"\u0041\u0022"`,
	} {
		data := []byte(`{"Policy": ` + quoted + `}`)
		root, err := readTree(data)
		if err != nil {
			t.Fatal(err)
		}
		n := root.find("Policy")
		got := (&source{file: &File{Data: data}, data: data}).within(n)
		var want string
		if err := json.Unmarshal([]byte(quoted), &want); err != nil {
			t.Fatal(err)
		}
		if string(got.data) != want || len(got.from) != len(want)+1 {
			t.Errorf("%s: got %q with %d origins, want %q with one for each byte and the end", quoted, got.data, len(got.from), want)
		}
		if !slices.IsSorted(got.from) || got.from[len(got.from)-1] != n.end-1 {
			t.Errorf("%s: got origins %v, want them in order up to the closing quote", quoted, got.from)
		}
	}
}
