package request

import (
	"bytes"
	"encoding/xml"
	"testing"
)

func TestReadable(t *testing.T) {
	for _, tt := range []struct{ answer, want string }{
		{"<K>plain é \U0001F600</K>", "plain é \U0001F600"},
		{"<K>a\tb&#x9;c&#10;</K>", "a\tb\tc\n"},
		{"<K>a\x01b</K>", "a\ufffdb"},
		{"<K>a&#x1;b&#X2;&#1;c&#x1F;</K>", "a\ufffdb&#X2;\ufffdc\ufffd"},
		{"<K>&amp;&#x26;#x1;&lt;</K>", "&&#x1;<"},
		{"<K>&#xFFFE;&#99999999999;</K>", "\ufffd\ufffd"},
	} {
		var got struct {
			Text string `xml:",chardata"`
		}
		// &#X2; is not a character reference in XML, so a strict decoder rejects it, with or
		// without readable.
		decoder := xml.NewDecoder(bytes.NewReader(readable([]byte(tt.answer))))
		decoder.Strict = false
		if err := decoder.Decode(&got); err != nil || got.Text != tt.want {
			t.Errorf("%q: got %q, %v, want %q", tt.answer, got.Text, err, tt.want)
		}
	}
}
