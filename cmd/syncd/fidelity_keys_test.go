package main

import "strings"

// Why a real MinIO server rejects keys that S3 accepts.
const (
	minioDots    = "XMinioInvalidObjectName: segments . and .. are refused"
	minioSlashes = "XMinioInvalidObjectName: empty segments are refused"
	minioParent  = "XMinioParentIsObject: a key cannot be under the key of another object"
	minioSegment = "XMinioInvalidObjectName: a segment is a file name, of 255 bytes at most"
)

// minioMarkers is why the tests of copies within MinIO leave out encrypted directory markers: their
// copies cannot be confirmed.
const minioMarkers = "HEAD of an encrypted marker returns another ETag than the request that copied it"

// versityControls is why the tests with a Versity gateway leave out control characters: XML 1.0
// does not allow them, and a Versity gateway ignores the requested encoding of keys in listings.
const versityControls = "it lists control characters as U+FFFD"

// controls returns the ASCII control characters that are allowed in a key; NUL is not.
func controls() string {
	var b strings.Builder
	for c := byte(1); c < 0x20; c++ {
		b.WriteByte(c)
	}
	return b.String() + "\x7f"
}

// longKey returns a key of the given length, in segments that a file system accepts.
func longKey(bytes int) string {
	segment := strings.Repeat("k", 99) + "/"
	return strings.Repeat(segment, bytes/len(segment)) + strings.Repeat("k", bytes%len(segment))
}

// keyKinds returns objects whose keys careless tools clean, decode, normalize or lose.
func keyKinds() []kind {
	return []kind{
		{name: "key of one byte", key: "k"},
		{name: "directory marker", key: "marker/", minioCopy: minioMarkers, size: empty, put: contentType("application/x-directory")},
		{name: "directory marker with content", key: "full-marker/", minioCopy: minioMarkers, versity: "DirectoryObjectContainsData: a marker has no content"},
		{name: "key next to a marker", key: "marked"},
		{name: "marker next to a key", key: "marked/", size: empty, minio: minioParent},
		{name: "key under another key", key: "marked/below", minio: minioParent},
		{name: "two slashes", key: "a//b", minio: minioSlashes},
		{name: "leading slash", key: "/lead", minio: minioSlashes},
		{name: "only a slash", key: "/", minio: minioSlashes},
		{name: "trailing slashes", key: "trail//", minio: minioSlashes},
		{name: "dot", key: ".", minio: minioDots},
		{name: "two dots", key: "..", minio: minioDots},
		{name: "dot segment", key: "a/./b", minio: minioDots},
		{name: "parent segment", key: "a/../b", minio: minioDots},
		{name: "leading dot segment", key: "./x", minio: minioDots},
		{name: "leading parent segments", key: "../../x", minio: minioDots},
		{name: "trailing dot", key: "ends."},
		{name: "trailing dot segment", key: "ends/.", minio: minioDots},
		{name: "hidden file", key: ".hidden"},
		{name: "plus", key: "a+b"},
		{name: "percent", key: "100%"},
		{name: "percent encoded plus", key: "a%2Bb"},
		{name: "percent encoded percent", key: "a%252Bb"},
		{name: "percent without digits", key: "a%zz"},
		{name: "percent encoded parent", key: "..%2fup"},
		{name: "percent encoded dots", key: "%2e%2e/up"},
		{name: "percent encoded NUL", key: "a%00b"},
		{name: "question mark", key: "a?b"},
		{name: "version id in the key", key: "a?versionId=null"},
		{name: "hash", key: "a#b"},
		{name: "ampersand", key: "a&b=c"},
		{name: "semicolon and comma", key: "a;b,c"},
		{name: "colon and at", key: "arn:aws:s3:::b@c"},
		{name: "brackets", key: "[a]{b}(c)^~|`"},
		{name: "asterisk and dollar", key: "*$!"},
		{name: "space", key: "a b"},
		{name: "leading space", key: " a"},
		{name: "trailing space", key: "a "},
		{name: "only a space", key: " "},
		{name: "tab", key: "a\tb"},
		{name: "newline", key: "a\nb"},
		{name: "trailing newline", key: "a\n"},
		{name: "carriage return", key: "a\r\nb"},
		{name: "every control character", key: "c" + controls(), versity: versityControls},
		{name: "every control character in relayed parts", key: "r" + controls(), size: relayPart + 1, versity: versityControls},
		{name: "control characters of Latin-1", key: "c\u0080\u0085\u009f"},
		{name: "backslash", key: `a\b`},
		{name: "quotes", key: `a"b'c`},
		{name: "markup", key: "<a>&amp;]]>"},
		{name: "upper case", key: "Case"},
		{name: "lower case", key: "case"},
		{name: "composed", key: "caf\u00e9"},
		{name: "decomposed", key: "cafe\u0301"},
		{name: "emoji", key: "🪣/👩‍👩‍👧"},
		{name: "before emoji in UTF-8 and after them in UTF-16", key: "\uff5e"},
		{name: "right to left", key: "مرحبا/עולם"},
		{name: "right to left override", key: "a\u202egnp.exe"},
		{name: "byte order mark", key: "\ufeffa"},
		{name: "zero width", key: "a\u200bb"},
		{name: "replacement character", key: "a\ufffdb"},
		{name: "noncharacter", key: "a\U0010ffff"},
		{name: "1,024 bytes", key: longKey(1024)},
		{name: "1,024 bytes in one segment", key: strings.Repeat("s", 1024), minio: minioSegment},
		{name: "1,024 bytes of three each", key: strings.Repeat("語", 341) + "x", minio: minioSegment},
		{name: "many segments", key: strings.Repeat("d/", 200) + "f"},
	}
}

// prefixedKinds returns objects whose keys get a longer prefix.
func prefixedKinds() []kind {
	return []kind{
		{name: "key that equals the prefix", key: "exports/", size: empty, minioCopy: minioMarkers},
		{name: "key after the prefix", key: "exports/a"},
		{name: "slash after the prefix", key: "exports//a", minio: minioSlashes},
		{name: "the prefix twice", key: "exports/exports/a"},
		{name: "key that begins like the prefix", key: "exports-old/a", want: notListed},
		{name: "the prefix without its slash", key: "exports", want: notListed, minio: minioParent},
		{name: "key that becomes 1,024 bytes long", key: "exports/" + longKey(1024-len("copies/of/the/exports/"))},
		{name: "key that becomes 1,025 bytes long", key: "exports/1" + longKey(1024-len("copies/of/the/exports/")), want: quarantined("key_unrepresentable")},
	}
}

// strippedKinds returns objects whose keys lose a prefix and get no new one.
func strippedKinds() []kind {
	return []kind{
		{name: "key that equals the prefix", key: "exports/", size: empty, want: quarantined("key_unrepresentable")},
		{name: "key after the prefix", key: "exports/a"},
		{name: "slash after the prefix", key: "exports//a", minio: minioSlashes},
		{name: "parent after the prefix", key: "exports/../a", minio: minioDots},
	}
}
