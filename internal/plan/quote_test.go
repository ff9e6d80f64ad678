package plan_test

import (
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"syncd/internal/listing"
	"syncd/internal/plan"
	"syncd/internal/transfer"
)

const gib = 1 << 30

func quoteOf(terms plan.Terms, objects ...listing.Object) (q plan.Quote) {
	quoter := plan.NewQuoter(terms)
	for _, o := range objects {
		quoter.AddCopy(&q, o)
	}
	q.Dollars = q.Dollars.Rounded()
	return q
}

func thousand(o listing.Object) []listing.Object {
	objects := make([]listing.Object, 1000)
	for i := range objects {
		objects[i] = o
	}
	return objects
}

// TestQuoteDollars compares the prices of copies with prices calculated by hand: what AWS charges
// to each account, at list prices.
func TestQuoteDollars(t *testing.T) {
	small, large := sized(1), sized(10*gib)
	cold := listing.Object{Version: transfer.Version{Size: gib}, StorageClass: "GLACIER_IR"}
	tests := []struct {
		name    string
		terms   plan.Terms
		objects []listing.Object
		want    plan.Dollars
	}{
		{"a thousand small ones", plan.Terms{}, thousand(small), plan.Dollars{
			Total: 0.011, Requests: 0.005, KMS: 0.006, Consumer: 0.011,
		}},
		{"with a bucket key at the destination", plan.Terms{BucketKey: true}, thousand(small), plan.Dollars{
			Total: 0.00803, Requests: 0.005, KMS: 0.00303, Consumer: 0.00803,
		}},
		{"into another class", plan.Terms{Settings: transfer.Settings{StorageClass: "STANDARD_IA"}}, thousand(small), plan.Dollars{
			Total: 0.016, Requests: 0.01, KMS: 0.006, Consumer: 0.016,
		}},
		{"out of a class with a retrieval fee", plan.Terms{}, []listing.Object{cold}, plan.Dollars{
			Total: 0.030011, Requests: 0.000005, KMS: 0.000006, Retrieval: 0.03, Owner: 0.03, Consumer: 0.000011,
		}},
		{"the same where the requester pays", plan.Terms{Source: transfer.Place{RequestPayer: true}}, []listing.Object{cold}, plan.Dollars{
			Total: 0.030011, Requests: 0.000005, KMS: 0.000006, Retrieval: 0.03, Consumer: 0.030011,
		}},
		{"to another region", plan.Terms{Source: transfer.Place{Region: "us-west-2"}, Destination: transfer.Place{Region: "us-east-1"}}, thousand(sized(gib)), plan.Dollars{
			Total: 20.011, Requests: 0.005, KMS: 0.006, Transfer: 20, Owner: 20, Consumer: 0.011,
		}},
		{"between the two regions in the east", plan.Terms{Source: transfer.Place{Region: "us-east-2"}, Destination: transfer.Place{Region: "us-east-1"}}, []listing.Object{sized(gib)}, plan.Dollars{
			Total: 0.010011, Requests: 0.000005, KMS: 0.000006, Transfer: 0.01, Owner: 0.01, Consumer: 0.000011,
		}},
		// The S3 requests are HEAD and tags at the source, and creation, 40 parts and completion at
		// the destination. The KMS requests are one decryption for the HEAD and one for each part
		// at the source, one data key, and the decryption of this data key for each part and for
		// the completion.
		{"in parts", plan.Terms{}, []listing.Object{large}, plan.Dollars{
			Total: 0.0004598, Requests: 0.0002108, KMS: 0.000249, Owner: 0.0000008, Consumer: 0.000459,
		}},
		{"relayed by two roles", plan.Terms{Settings: transfer.Settings{Relay: true}, ReaderIsOwner: true}, thousand(small), plan.Dollars{
			Total: 0.0118, Requests: 0.0058, KMS: 0.006, Owner: 0.0038, Consumer: 0.008,
		}},
		{"relayed from another region, for which no transfer is counted", plan.Terms{
			Settings: transfer.Settings{Relay: true, OmitTags: true}, Source: transfer.Place{Region: "us-west-2"}, Destination: transfer.Place{Region: "us-east-1"},
		}, thousand(small), plan.Dollars{Total: 0.0114, Requests: 0.0054, KMS: 0.006, Owner: 0.0004, Consumer: 0.011}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := quoteOf(tt.terms, tt.objects...).Dollars
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
				t.Errorf("dollars (-want +got):\n%s", diff)
			}
			if parts := got.Requests + got.KMS + got.Transfer + got.Retrieval; math.Abs(parts-got.Total) > 1e-9 || math.Abs(got.Owner+got.Consumer-got.Total) > 1e-9 {
				t.Errorf("got %+v, want both splits to add up to the total", got)
			}
		})
	}
}

// TestRequestAndBeyondMakeTheQuote checks that Request and Beyond together give the price of a
// quote. A metric adds the price of each request when the request is sent, and all other costs when
// the copy is complete.
func TestRequestAndBeyondMakeTheQuote(t *testing.T) {
	for _, terms := range []plan.Terms{
		{},
		{BucketKey: true},
		{Settings: transfer.Settings{KeepStorageClass: true}},
		{Settings: transfer.Settings{StorageClass: "GLACIER_IR"}},
		{Settings: transfer.Settings{Relay: true, StorageClass: "STANDARD_IA"}},
		{Source: transfer.Place{Region: "eu-west-1", RequestPayer: true}, Destination: transfer.Place{Region: "us-east-1"}},
	} {
		quoter := plan.NewQuoter(terms)
		for _, class := range []string{"", "STANDARD", "STANDARD_IA", "GLACIER_IR", "DEEP_ARCHIVE"} {
			for _, size := range []int64{0, 1, 9 << 20, 20 * gib} {
				o := listing.Object{Version: transfer.Version{Size: size}, StorageClass: class}
				quote := quoteOf(terms, o)
				sum := quoter.Beyond(o)
				for operation, n := range quote.Requests {
					sum += float64(n) * quoter.Request(operation)
				}
				if math.Abs(sum-quote.Dollars.Total) > 1e-8 {
					t.Errorf("%+v of %+v: got %.9f by request and beyond, want %.9f", o, terms, sum, quote.Dollars.Total)
				}
			}
		}
	}
	if got := plan.NewQuoter(plan.Terms{}).Request("AbortMultipartUpload"); got != 0 {
		t.Errorf("got $%f for an abort, want nothing", got)
	}
}

// TestQuoteOfLooks checks the prices of looking for existing copies and of listing pages.
func TestQuoteOfLooks(t *testing.T) {
	quoter := plan.NewQuoter(plan.Terms{})
	var q plan.Quote
	quoter.AddLook(&q, sized(1))
	quoter.AddPages(&q, 3, 1)
	want := plan.Quote{
		Requests: map[string]int64{"HeadObject": 2, "ListObjectsV2": 4}, KMSRequests: map[string]float64{"Decrypt": 2},
		Dollars: plan.Dollars{Total: 0.0000268, Requests: 0.0000208, KMS: 0.000006, Owner: 0.0000154, Consumer: 0.0000114},
	}
	q.Dollars = q.Dollars.Rounded()
	if diff := cmp.Diff(want, q, cmpopts.IgnoreUnexported(plan.Quote{}), cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("quote (-want +got):\n%s", diff)
	}
}

// TestQuoteOfTheEnd checks that a quote includes the search for leftover uploads if the writer has
// a role and objects were copied in parts.
func TestQuoteOfTheEnd(t *testing.T) {
	for _, tt := range []struct {
		name  string
		terms plan.Terms
		size  int64
		want  int64
	}{
		{"parts", plan.Terms{Sweeps: true}, 6 * gib, 1},
		{"no parts", plan.Terms{Sweeps: true}, 1, 0},
		{"parts of a writer without a role", plan.Terms{}, 6 * gib, 0},
	} {
		q := quoteOf(tt.terms, sized(tt.size))
		plan.NewQuoter(tt.terms).AddEnd(&q)
		if got := q.Requests["ListMultipartUploads"]; got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}

// TestPrices checks that the table returned by Prices contains everything that a reader needs to
// verify a price.
func TestPrices(t *testing.T) {
	month, seen := regexp.MustCompile(`^20\d\d-\d\d$`), map[string]bool{}
	for _, p := range plan.Prices() {
		if p.Dollars <= 0 || p.Per <= 0 || p.Unit == "" || !strings.Contains(p.Source, "aws.amazon.com/") || !month.MatchString(p.Read) {
			t.Errorf("got %+v, want a price with its unit, its source and the month in which it was read", p)
		}
		if p.Read < plan.PricesRead {
			t.Errorf("got %+v, read before %s, want no earlier month", p, plan.PricesRead)
		}
		if seen[p.Class+p.Name] {
			t.Errorf("got %s of %q twice, want one price", p.Name, p.Class)
		}
		seen[p.Class+p.Name] = true
	}
}

// TestEstimate checks which limit determines the estimated time.
func TestEstimate(t *testing.T) {
	small := thousand(sized(1))
	tests := []struct {
		name    string
		terms   plan.Terms
		objects []listing.Object
		pages   int64
		want    plan.Estimate
	}{
		{"listing", plan.Terms{Pace: plan.Pace{Concurrency: 64}}, nil, 500, plan.Estimate{Seconds: 50, Bound: "listing"}},
		{"one large object", plan.Terms{Pace: plan.Pace{Concurrency: 64}}, []listing.Object{sized(gib)}, 1, plan.Estimate{Seconds: 10.73741824, Bound: "largest_request"}},
		{"few at once", plan.Terms{Pace: plan.Pace{Concurrency: 10}}, small, 1, plan.Estimate{Seconds: 10.000001, Bound: "concurrency"}},
		{"S3", plan.Terms{Pace: plan.Pace{Concurrency: 4096}}, thousand(sized(1)), 1, plan.Estimate{Seconds: 1000.0 / 3500, Bound: "s3_writes"}},
		{"a limit on requests", plan.Terms{Pace: plan.Pace{Concurrency: 64, RequestsPerSecond: 10}}, small, 0, plan.Estimate{Seconds: 100, Bound: "limits.requests_per_second"}},
		{"a limit on requests to KMS", plan.Terms{Pace: plan.Pace{Concurrency: 64, KMSRequestsPerSecond: 10}}, small, 0, plan.Estimate{Seconds: 200, Bound: "limits.kms_requests_per_second"}},
		{"a limit on bytes", plan.Terms{Pace: plan.Pace{Concurrency: 64, BytesPerSecond: 10}}, small, 0, plan.Estimate{Seconds: 100, Bound: "limits.bytes_per_second"}},
		{"bandwidth", plan.Terms{Settings: transfer.Settings{Relay: true}, Pace: plan.Pace{Concurrency: 64}}, []listing.Object{sized(125e9)}, 0, plan.Estimate{Seconds: 1000, Bound: "bandwidth"}},
		{"nothing", plan.Terms{}, nil, 0, plan.Estimate{Bound: "listing"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q, quoter := quoteOf(tt.terms, tt.objects...), plan.NewQuoter(tt.terms)
			quoter.AddPages(&q, tt.pages, 0)
			if diff := cmp.Diff(tt.want, quoter.Time(q), cmpopts.EquateApprox(0, 1e-6)); diff != "" {
				t.Errorf("estimate (-want +got):\n%s", diff)
			}
		})
	}
}

// TestEstimateOfKMS checks that an estimate uses the KMS quota of the region.
func TestEstimateOfKMS(t *testing.T) {
	for region, want := range map[string]float64{"us-east-1": 0.02, "eu-central-1": 0.1, "sa-east-1": 0.2} {
		terms := plan.Terms{Source: transfer.Place{Region: region}, Destination: transfer.Place{Region: region}}
		q := plan.Quote{KMSRequests: map[string]float64{"Decrypt": 2000}}
		if got := plan.NewQuoter(terms).Time(q); math.Abs(got.Seconds-want) > 1e-9 || got.Bound != "kms_quota" {
			t.Errorf("%s: got %+v, want %gs by kms_quota", region, got, want)
		}
	}
}

// TestNotCounted checks what a quote does not include.
func TestNotCounted(t *testing.T) {
	for _, tt := range []struct {
		terms plan.Terms
		word  string
		want  bool
	}{
		{plan.Terms{}, "storage", true},
		{plan.Terms{}, "transfer", false},
		{plan.Terms{Settings: transfer.Settings{Relay: true}}, "transfer", true},
		{plan.Terms{Settings: transfer.Settings{StorageClass: "DEEP_ARCHIVE"}}, "DEEP_ARCHIVE", true},
		{plan.Terms{Settings: transfer.Settings{StorageClass: "STANDARD_IA"}}, "STANDARD_IA", false},
		{plan.Terms{Settings: transfer.Settings{KeepStorageClass: true}}, "storage classes", true},
	} {
		got := strings.Join(plan.NewQuoter(tt.terms).NotCounted(), "; ")
		if strings.Contains(got, tt.word) != tt.want {
			t.Errorf("%+v: got %q, want %q in it: %v", tt.terms, got, tt.word, tt.want)
		}
	}
}

// TestRefuses checks which objects are quarantined without sending a request.
func TestRefuses(t *testing.T) {
	for _, tt := range []struct {
		o    listing.Object
		want string
	}{
		{listing.Object{Version: transfer.Version{ETag: `"e"`, Size: 50_000 * gib}}, ""},
		{listing.Object{Version: transfer.Version{ETag: `"e"`, Size: 50_000*gib + 1}}, "too_large"},
		{sized(1), "no_etag"},
	} {
		if got := (plan.Terms{}).Refuses(tt.o); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.o, got, tt.want)
		}
	}
}

// sized returns an object with that many bytes.
func sized(bytes int64) listing.Object { return listing.Object{Version: transfer.Version{Size: bytes}} }
