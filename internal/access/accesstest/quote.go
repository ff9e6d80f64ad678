package accesstest

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncd/config"
	"syncd/internal/awsfake"
	"syncd/internal/copier"
	"syncd/internal/plan"
	"syncd/internal/transfer"
)

// Quoted copies objects whose sizes are near the limits between the ways of copying an object. It
// returns the differences between the requests that package plan quotes for the copies and the
// requests that syncd sent.
func (x *World) Quoted(t *testing.T, m config.Mapping) (differences []string) {
	t.Helper()
	j := x.newJob(t, m, x.Sessions(t, ""))
	how := j.how
	how.RelayMemory = relayed
	quoter := plan.NewQuoter(plan.Terms{Settings: how})
	for _, size := range []int64{0, 10, transfer.MinRangeSource, 6<<20 + 1, 8 << 20, 16<<20 + 1} {
		if most := int64(m.Filter.MaxSize); most > 0 && size > most {
			continue
		}
		object := listed(x.Source().Put(fmt.Sprintf("%squoted-%d", m.Source.Prefix, size), awsfake.SyntheticBody(size, 1), awsfake.PutOptions{}))
		x.Cloud.ResetRequests()
		if _, _, err := j.copier.Copy(t.Context(), object, copier.Target{}, nil); err != nil {
			differences = append(differences, fmt.Sprintf("%d bytes: got %v, want a copy", size, err))
			continue
		}
		sent := maps.Clone(map[string]int64(x.Cloud.Requests()))
		maps.DeleteFunc(sent, func(operation string, _ int64) bool { return strings.HasPrefix(operation, "Assume") })
		var quote plan.Quote
		quoter.AddCopy(&quote, object)
		if diff := cmp.Diff(quote.Requests, sent); diff != "" {
			differences = append(differences, fmt.Sprintf("%d bytes (-quoted +sent):\n%s", size, diff))
		}
	}
	return differences
}
