package awsfake

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"syncd/internal/iam"
)

// writeList writes one page of a list, each element by a call of write.
func writeList[T any](q *iamRequest, x *xmlWriter, name string, all []T, write func(T)) error {
	from, most := 0, 100
	if m := q.form.Get("Marker"); m != "" {
		at, err := strconv.Atoi(m)
		if err != nil || at < 0 || at > len(all) {
			return errValidation("Invalid Marker.")
		}
		from = at
	}
	if m := q.form.Get("MaxItems"); m != "" {
		n, err := strconv.Atoi(m)
		if err != nil || n < 1 || n > 1000 {
			return errValidation("1 validation error detected: Value '%s' at 'maxItems' failed to satisfy constraint: Member must be between 1 and 1000", m)
		}
		most = n
	}
	to := min(from+most, len(all))
	x.open(name)
	for _, one := range all[from:to] {
		x.open("member")
		write(one)
		x.close("member")
	}
	x.close(name)
	x.boolean("IsTruncated", to < len(all))
	if to < len(all) {
		x.element("Marker", strconv.Itoa(to))
	}
	return nil
}

func writeTags(x *xmlWriter, tags map[string]string) {
	x.open("Tags")
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		x.open("member")
		x.element("Key", k)
		x.element("Value", tags[k])
		x.close("member")
	}
	x.close("Tags")
}

func writeBoundary(x *xmlWriter, i *identity) {
	if i.boundaryARN == "" {
		return
	}
	x.open("PermissionsBoundary")
	x.element("PermissionsBoundaryType", "Policy")
	x.element("PermissionsBoundaryArn", i.boundaryARN)
	x.close("PermissionsBoundary")
}

// quoted is a policy as IAM answers it: escaped as in a URL.
func quoted(d *iam.Document) string {
	return strings.ReplaceAll(url.QueryEscape(d.String()), "+", "%20")
}
