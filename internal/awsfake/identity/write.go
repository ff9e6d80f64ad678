package identity

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"syncd/internal/awsfake/directory"
	"syncd/internal/awsfake/form"
	"syncd/internal/awsfake/wire"
	"syncd/internal/iam"
)

// writeList writes one page of a list. It calls write for each element.
func writeList[T any](q *request, x *wire.XML, name string, all []T, write func(T)) error {
	from, most := 0, 100
	if m := q.Form.Get("Marker"); m != "" {
		at, err := strconv.Atoi(m)
		if err != nil || at < 0 || at > len(all) {
			return form.ErrValidation("Invalid Marker.")
		}
		from = at
	}
	if m := q.Form.Get("MaxItems"); m != "" {
		n, err := strconv.Atoi(m)
		if err != nil || n < 1 || n > 1000 {
			return form.ErrValidation("1 validation error detected: Value '%s' at 'maxItems' failed to satisfy constraint: Member must be between 1 and 1000", m)
		}
		most = n
	}
	to := min(from+most, len(all))
	x.Open(name)
	for _, one := range all[from:to] {
		x.Open("member")
		write(one)
		x.Close("member")
	}
	x.Close(name)
	x.Boolean("IsTruncated", to < len(all))
	if to < len(all) {
		x.Element("Marker", strconv.Itoa(to))
	}
	return nil
}

func writeTags(x *wire.XML, tags map[string]string) {
	x.Open("Tags")
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		x.Open("member")
		x.Element("Key", k)
		x.Element("Value", tags[k])
		x.Close("member")
	}
	x.Close("Tags")
}

func writeBoundary(x *wire.XML, i *directory.Identity) {
	if i.BoundaryARN == "" {
		return
	}
	x.Open("PermissionsBoundary")
	x.Element("PermissionsBoundaryType", "Policy")
	x.Element("PermissionsBoundaryArn", i.BoundaryARN)
	x.Close("PermissionsBoundary")
}

// quoted returns a policy URL-encoded, as IAM returns it.
func quoted(d *iam.Document) string {
	return strings.ReplaceAll(url.QueryEscape(d.String()), "+", "%20")
}
