package config_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"syncd/config"
	"syncd/config/fault"
)

// TestNothingBelowExternalIDIsQuoted checks that no message quotes text from under external_id. A
// wrong template may put the secret into any place there.
func TestNothingBelowExternalIDIsQuoted(t *testing.T) {
	const role = "arn: \"arn:aws:iam::111111111111:role/r\""
	inRole := func(lines string) string { return "roles:\n  r:\n    " + role + "\n    " + lines + "\n" }
	for name, text := range map[string]string{
		"variable":                  inRole("external_id: {env: hunter2-hunter2!}"),
		"variable in quotes":        inRole(`external_id: {env: "hunter2 hunter2"}`),
		"valid variable":            inRole("external_id: {env: hunter2_hunter2}\n    colour: red"),
		"block variable":            inRole("external_id:\n      env: hunter2-hunter2!"),
		"file":                      inRole("external_id: {file: hunter2-hunter2}\n    colour: red"),
		"empty file":                inRole("external_id: {file: \"\", env: hunter2}"),
		"both":                      inRole("external_id: {file: hunter2, env: hunter2}"),
		"twice":                     inRole("external_id: {env: hunter2, env: hunter2-hunter2}"),
		"unknown key":               inRole("external_id: {hunter2-hunter2: x}"),
		"unknown key with a value":  inRole("external_id: {value: hunter2-hunter2}"),
		"near key":                  inRole("external_id: {flie: hunter2-hunter2}"),
		"key like file":             inRole("external_id: {hunter2file: x}"),
		"set":                       inRole("external_id: {hunter2-hunter2}"),
		"complex key":               inRole("external_id:\n      ? [hunter2, hunter2]\n      : x"),
		"list":                      inRole("external_id: [hunter2, hunter2-hunter2]"),
		"block list":                inRole("external_id:\n      - hunter2-hunter2"),
		"list in variable":          inRole("external_id: {env: [hunter2-hunter2]}"),
		"mapping in variable":       inRole("external_id: {env: {hunter2-hunter2: x}}"),
		"mapping in file":           inRole("external_id:\n      file:\n        hunter2-hunter2: x"),
		"number":                    inRole("external_id: 22222222222222"),
		"number in variable":        inRole("external_id: {env: 22222222222222}"),
		"float in file":             inRole("external_id: {file: 2222.2222}"),
		"boolean in file":           inRole("external_id: {file: true}"),
		"bad characters":            inRole("external_id: \"hunter2 hunter2!\""),
		"long":                      inRole("external_id: " + strings.Repeat("hunter2", 200)),
		"literal":                   inRole("external_id: |\n      hunter2\n      hunter2"),
		"header":                    inRole("external_id: |hunter2-hunter2"),
		"folded header":             inRole("external_id: >hunter2-hunter2\n      x"),
		"header in variable":        inRole("external_id:\n      env: |hunter2-hunter2\n        x"),
		"tag":                       inRole("external_id: !hunter2-hunter2 x"),
		"tag in variable":           inRole("external_id: {env: !hunter2-hunter2 x}"),
		"local tag and brace":       inRole("external_id: !hunter2{hunter2} x"),
		"alias":                     inRole("external_id: *hunter2-hunter2"),
		"alias in variable":         inRole("external_id: {env: *hunter2-hunter2}"),
		"anchor":                    inRole("external_id: &hunter2-hunter2"),
		"merge":                     inRole("external_id: {<<: *hunter2-hunter2}"),
		"merge of text":             inRole("external_id: {<<: hunter2-hunter2}"),
		"alias elsewhere":           inRole("external_id: &a \"hunter2 hunter2\"\n    session_name: *a"),
		"alias of a variable":       inRole("external_id: {env: &a \"hunter2 hunter2\"}\n    session_name: *a"),
		"alias of a file":           inRole("external_id: {file: &a \"hunter2 hunter2\"}\n    source_identity: *a"),
		"alias of a part":           inRole("external_id: [&a \"hunter2 hunter2\"]\n    session_name: *a"),
		"alias to it":               inRole("session_name: &a \"hunter2 hunter2\"\n    external_id: {env: *a}"),
		"alias as a role":           inRole("external_id: &a hunter2-hunter2\n    via: *a"),
		"alias as a glob":           inRole("external_id: &a \"hunter2[\"") + "mappings: [{filter: {include: [*a]}}]\n",
		"alias as a choice":         inRole("external_id: {env: &a coyp-hunter2}") + "mappings: [{copy: {metadata: *a}}]\n",
		"unclosed":                  inRole("external_id: \"hunter2-hunter2"),
		"unclosed mapping":          inRole("external_id: {env: hunter2-hunter2"),
		"unclosed list":             inRole("external_id: [hunter2-hunter2"),
		"stray bracket":             inRole("external_id: hunter2]hunter2}\n    ]"),
		"colon":                     inRole("external_id: hunter2: hunter2"),
		"colon in variable":         inRole("external_id:\n      env: hunter2: hunter2"),
		"escape":                    inRole(`external_id: "hunter2\qhunter2"`),
		"reserved":                  inRole("external_id: @hunter2-hunter2"),
		"backquote":                 inRole("external_id: `hunter2-hunter2`"),
		"percent":                   inRole("external_id: %hunter2-hunter2"),
		"tab":                       inRole("external_id:\n\t\thunter2-hunter2"),
		"tab in variable":           inRole("external_id:\n      env:\thunter2: hunter2"),
		"template":                  inRole("external_id: {{ hunter2-hunter2 }}"),
		"template in variable":      inRole("external_id: {env: {{ hunter2-hunter2 }} }"),
		"dedented":                  inRole("external_id:\nhunter2-hunter2"),
		"dedented in variable":      inRole("external_id:\n      env:\n   hunter2-hunter2"),
		"duplicate":                 inRole("external_id: hunter2-hunter2\n    external_id: hunter2-hunter2"),
		"two quotes":                inRole("external_id: \"hunter2\" \"hunter2\""),
		"quote in it":               inRole("external_id: 'hunter2'hunter2'"),
		"directive":                 "%YAML 9.hunter2\n---\n" + inRole("external_id: x"),
		"document":                  inRole("external_id: --- hunter2-hunter2\n--- hunter2-hunter2"),
		"invalid UTF-8 in variable": inRole("external_id: {env: \"hunter2\xff\"}"),
		"control":                   inRole("external_id: {env: \"hunter2\x00hunter2\"}"),
	} {
		t.Run(name, func(t *testing.T) {
			c, err := config.Parse([]byte(text), "syncd.yaml")
			if err == nil {
				t.Fatalf("got configuration %v, want faults", c)
			}
			mustHide(t, "fault", err.Error())
			faults, _ := errors.AsType[*fault.Faults](err)
			for _, verb := range []string{"%v", "%+v", "%#v", "%q"} {
				mustHide(t, verb, fmt.Sprintf(verb, *faults))
			}
		})
	}
}

func mustHide(t *testing.T, how, text string) {
	t.Helper()
	for _, secret := range []string{"hunter2", "2222"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s: got %s, want nothing from under external_id", how, text)
		}
	}
}

// TestNothingThatAnAliasCarriedIsQuoted checks other settings in which an alias repeats text from
// under external_id. Their faults must not quote the text, part of it or another form of it, or
// show it in a config path.
func TestNothingThatAnAliasCarriedIsQuoted(t *testing.T) {
	const role = "arn: \"arn:aws:iam::111111111111:role/r\""
	inRole := func(lines string) string { return "roles:\n  r:\n    " + role + "\n    " + lines + "\n" }
	for name, text := range map[string]string{
		"key in the path of a tag": inRole("external_id: &a {hunter2-hunter2: 1}\n    tags: *a"),
		"key as an unknown key":    inRole("external_id: &a {hunter2-hunter2: 1}") + "log: *a\n",
		"merged into another":      inRole("external_id: &a {hunter2-hunter2: 1}") + "log: {<<: *a}\n",
		"inner mapping":            inRole("external_id: {env: &a {hunter2-hunter2: 1}}") + "log: *a\n",
		"role name":                inRole("external_id: &a {hunter2-hunter2: {arn: x}}"),
		"value among keys":         inRole("external_id: &a hunter2-hunter2") + "log: {*a : 1}\n",
		"part of a key ARN":        inRole("external_id: &a \"arn:aws:kms:hunter2-hunter2-1:111111111111:key/1a\"") + "mappings: [{destination: {region: us-west-2, kms_key: *a}}]\n",
		"bucket of the state":      inRole("external_id: &a \"s3://hunter2_hunter2/x\"") + "state: *a\n",
		"prefix of the state":      inRole("external_id: &a \"s3://abcdef/hunter2-hunter2\"") + "state: *a\n",
		"short":                    inRole("external_id: &a hunter2\n    session_name: [*a]"),
		"short role":               inRole("external_id: &a hunter2\n    via: *a"),
		"duration":                 inRole("external_id: &a \"002222h\"\n    duration: *a"),
		"trailing newline":         inRole("external_id: &a |\n      hunter2\n    session_name: *a"),
		"exponent":                 inRole("external_id: &a \"22220000\"") + "concurrency: *a\n",
		"zeros":                    inRole("external_id: &a \"00022220000\"") + "concurrency: *a\n",
		"glob":                     inRole("external_id: &a \"hunter2/[\"") + "mappings: [{filter: {include: [*a]}}]\n",
		"float":                    inRole("external_id: &a 2222.2222e3") + "mappings: [{delete: {max_percent: *a}}]\n",
		"whole number":             inRole("external_id: &a 022222222") + "mappings: [{limits: {requests_per_second: *a}}]\n",
		"negative whole number":    inRole("external_id: &a -0222222") + "mappings: [{limits: {requests_per_second: *a}}]\n",
		"size":                     inRole("external_id: &a 2222GiB") + "mappings: [{copy: {part_size: *a}}]\n",
		"schedule":                 inRole("external_id: &a \"@every hunter2\"") + "mappings: [{schedule: *a}]\n",
		"field of a schedule":      inRole("external_id: &a \"* * * * hunter2\"") + "mappings: [{schedule: *a}]\n",
		"bound of a schedule":      inRole("external_id: &a \"2222 * * * *\"") + "mappings: [{schedule: *a}]\n",
		"period":                   inRole("external_id: &a 22222222d") + "mappings: [{copy: {object_lock_max: *a}}]\n",
		"date":                     inRole("external_id: &a 2222-01-01") + "mappings: [{filter: {modified_after: *a, modified_before: 1999-01-01}}]\n",
		"within a list":            inRole("external_id: &a [hunter2_hunter2]") + "http: {hosts: *a}\n",
		"long":                     inRole("external_id: &a \"" + strings.Repeat("hunter2 ", 100) + "\"\n    session_name: *a"),
		"copied, not aliased":      inRole("external_id: \"hunter2 hunter2\"\n    tags: {\"hunter2 hunter2\": \"*\"}"),
		"role of that name":        inRole("external_id: hunter2-hunter2") + "  hunter2-hunter2: {arn: x}\n",
		"overlap":                  inRole("external_id: &a \"hunter2\"") + "state: s3://hunter2/x/\nmappings: [{destination: {bucket: *a, prefix: x/, region: us-west-2}}]\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := config.Parse([]byte(text), "syncd.yaml")
			if err == nil {
				t.Fatal("got no fault")
			}
			mustHide(t, "fault", strings.ReplaceAll(err.Error(), "111111111111", ""))
		})
	}
}

// TestSourcesOfExternalIDsAreNotShown checks that neither a printed configuration nor a read error
// shows the name of the variable or file of an external id. Even a plausible name may be the
// secret.
func TestSourcesOfExternalIDsAreNotShown(t *testing.T) {
	for _, form := range []string{"{env: hunter2_hunter2}", "{file: hunter2-hunter2}", "{file: /run/hunter2/hunter2}"} {
		path := filepath.Join(t.TempDir(), "syncd.yaml")
		text := minimal(t) + "roles: {r: {arn: \"arn:aws:iam::111111111111:role/r\", external_id: " + form + "}}\n"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		id := c.Roles["r"].ExternalID
		for _, v := range []any{id, &id, c.Roles["r"], c, struct{ hidden config.Role }{c.Roles["r"]}} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
				mustHideName(t, verb, fmt.Sprintf(verb, v))
			}
			asJSON, _ := json.Marshal(v)
			asYAML, _ := yaml.Marshal(v)
			mustHideName(t, "JSON", string(asJSON))
			mustHideName(t, "YAML", string(asYAML))
		}
		for _, value := range []string{"", "x", "bad value hunter2"} {
			_, err := id.Resolve(func(string) (string, bool) { return value, value != "" }, func(name string) ([]byte, error) {
				if value == "" {
					return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
				}
				return []byte(value), nil
			})
			if err == nil {
				t.Fatal("got an external id, want an error")
			}
			mustHideName(t, "resolve", err.Error())
		}
		_, err = id.Resolve(func(string) (string, bool) { return "", false }, func(name string) ([]byte, error) { return nil, errors.New("cannot read " + name) })
		mustHideName(t, "resolve", err.Error())
	}
}

func mustHideName(t *testing.T, how, text string) {
	t.Helper()
	if strings.Contains(text, "hunter2") || strings.Contains(text, fmt.Sprintf("%x", "hunter2")) {
		t.Errorf("%s: got %s, want no name of a file or variable", how, text)
	}
}
