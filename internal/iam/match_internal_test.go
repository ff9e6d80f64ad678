package iam

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestMatchResource(t *testing.T) {
	tests := []struct {
		pattern, arn string
		want         bool
	}{
		{"*", "arn:aws:s3:::b/k", true},
		{"arn:aws:s3:::b", "arn:aws:s3:::b", true},
		{"arn:aws:s3:::b", "arn:aws:s3:::b/k", false},
		{"arn:aws:s3:::b/*", "arn:aws:s3:::b", false},
		{"arn:aws:s3:::b/*", "arn:aws:s3:::b/", true},
		{"arn:aws:s3:::b/*", "arn:aws:s3:::b/a/b:c", true},
		{"arn:aws:s3:::b/*", "arn:aws:s3:::B/a", false},
		{"arn:aws:s3:::b/A*", "arn:aws:s3:::b/a", false},
		{"arn:aws:s3:::b/a*c", "arn:aws:s3:::b/a:b:c", true},
		{"arn:aws:s3:::b/?", "arn:aws:s3:::b/é", true},
		{"arn:aws:s3:::b/??", "arn:aws:s3:::b/é", false},
		{"arn:aws:s3:::b/*??", "arn:aws:s3:::b/日", false},
		{"arn:aws:s3:::b/*/c/*", "arn:aws:s3:::b///c//", true},
		{"arn:aws:s3:*:*:b/k", "arn:aws:s3:::b/k", true},
		{"arn:aws:s3:*", "arn:aws:s3:::b/k", true},
		{"arn:aws:dynamodb:*:table/a*", "arn:aws:dynamodb:us-west-2:111111111111:table/ab", true}, // * ends a component: runs on
		{"arn:aws:kms:us-*-2:*:key/*", "arn:aws:kms:us-west-2:111111111111:key/a", true},
		{"arn:aws:kms:us*2:*", "arn:aws:kms:us:2:key/a", false}, // * inside a component stays in it
		{"arn:aws:s3:?::b", "arn:aws:s3:::::b", false},          // a ? inside a component does not match a colon either
		{"arn:*:a*b:x:y:z", "arn:aws:a1:2:ab:x:y:z", true},      // matching resumes at the far * after the near * has failed
		{"", "", true},
		{"", "a", false},
		{"a**", "a", true},
	}
	for _, tt := range tests {
		if got := matchResource(tt.pattern, tt.arn); got != tt.want {
			t.Errorf("%s on %s: got %t, want %t", tt.pattern, tt.arn, got, tt.want)
		}
	}
}

func TestMatchAction(t *testing.T) {
	tests := []struct {
		pattern, action string
		want            bool
	}{
		{"s3:GetObject", "s3:GetObject", true},
		{"S3:getobject", "s3:GetObject", true},
		{"s3:Get*", "s3:GetObjectVersion", true},
		{"s3:GetObject", "s3:GetObjectVersion", false},
		{"s3:Get?bject", "s3:GetObject", true},
		{"*", "s3:GetObject", true},
		{"*:GetObject", "s3:GetObject", true},
		{"kms:*", "s3:GetObject", false},
	}
	for _, tt := range tests {
		if got := matchAction(tt.pattern, tt.action); got != tt.want {
			t.Errorf("%s on %s: got %t, want %t", tt.pattern, tt.action, got, tt.want)
		}
	}
}

// expression returns a glob as a regular expression.
func expression(g glob) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	for i, r := range g.pattern {
		switch {
		case r == '*' && g.crosses(i):
			b.WriteString(`.*`)
		case r == '*':
			b.WriteString(`[^:]*`)
		case r == '?' && i < g.free:
			b.WriteString(`[^:]`)
		case r == '?':
			b.WriteString(`.`)
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	return regexp.MustCompile(b.String() + `\z`)
}

// TestMatchIsTheRegularExpression compares globs with regular expressions, for patterns and texts
// that are likely to match.
func TestMatchIsTheRegularExpression(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := glob{pattern: rapid.StringOfN(rapid.RuneFrom([]rune("**?ab:é")), 0, 16, -1).Draw(t, "pattern")}
		if rapid.Bool().Draw(t, "arn") {
			g.free, g.runOn = resourcePart(g.pattern), rapid.Bool().Draw(t, "runOn")
		}
		text := rapid.StringOfN(rapid.RuneFrom([]rune("ab:é")), 0, 16, -1).Draw(t, "text")
		if got, want := g.match(text), expression(g).MatchString(text); got != want {
			t.Fatalf("%+v on %q: got %t, want %t", g, text, got, want)
		}
	})
}

// TestMatchIsQuick checks that matching is fast for a pattern for which full backtracking would
// take exponential time.
func TestMatchIsQuick(t *testing.T) {
	start := time.Now()
	if matchResource("arn:aws:s3:::"+strings.Repeat("*a", 40)+"b", "arn:aws:s3:::"+strings.Repeat("a", 1024)) {
		t.Error("got a match, want none")
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("got %s, want well under a second", took)
	}
}

// TestEscape checks that the value of a variable is matched literally.
func TestEscape(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringOf(rapid.RuneFrom([]rune("*?\x00a"))).Draw(t, "value")
		other := rapid.StringOf(rapid.RuneFrom([]rune("*?\x00a"))).Draw(t, "other")
		var b strings.Builder
		writeLiteral(&b, value, true)
		if !matchText(b.String(), value) {
			t.Fatalf("%q: got no match with itself, want one", value)
		}
		if matchText(b.String(), other) != (value == other) {
			t.Fatalf("%q on %q: got a match, want none", value, other)
		}
	})
}
