package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"syncd/internal/access"
	"syncd/internal/access/lint"
	"syncd/internal/access/lint/document"
	"syncd/internal/access/lint/rule"
	"syncd/internal/arn"
	"syncd/internal/exit"
	"syncd/internal/invocation"
	"syncd/internal/printable"
	"syncd/internal/report"
	"syncd/internal/usage"
)

// checkFlags are the flags of `syncd policy check`.
type checkFlags struct {
	kind  string
	json  bool
	sarif bool
}

func policyCheckCommand(p invocation.Process) *cobra.Command {
	var f invocation.Flags
	var of checkFlags
	cmd := &cobra.Command{
		Use:   "check [ARN=]FILE... [--kind KIND] [--config FILE]",
		Short: "Check existing policies for errors, dangerous grants and missing permissions",
		Long: `check reads policies and reports documents that AWS would reject, statements that do not do what they seem to do, and statements that allow more
than they should. It sends no request to AWS. docs/policy-check.md explains every finding.

A FILE is a policy, the JSON of ` + "`syncd policy`" + `, or the output of an AWS CLI command that contains a policy: s3api get-bucket-policy, iam get-role, iam get-role-policy,
iam get-policy-version, kms get-key-policy, sqs get-queue-attributes, organizations describe-policy. The FILE "-" is standard input. If the text does not say which resource the policy belongs to,
put the ARN of the resource before the file name: arn:aws:iam::222222222222:role/syncd=role.json.

The service and resource control policies of an organization look like other policies. Name their kind with --kind scp or --kind rcp; files with scp or
rcp in their names are recognized. check reports all faults of a file in one run, including faults of its JSON.

With --config it also reports every permission that the mappings lack, with the account and document to change and the statement to add.
If a document that the mappings need is not among the FILEs, check prints a note and does not report what that document may lack.` + exit.Help("policy check", 0, 2, 4, 130),
		Example: `  syncd policy check bucket-policy.json key-policy.json
  syncd policy check -c syncd.yaml -m alice-to-bob role.json bucket-policy.json key-policy.json
  syncd policy check --sarif policies.json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return exit.Usage(errors.New("check policies: name at least one FILE"))
			}
			return nil
		},
		ValidArgsFunction: anyFiles,
		RunE:              func(cmd *cobra.Command, args []string) error { return checkPolicies(cmd.Context(), p, args, f, of) },
	}
	invocation.AddConfigFlag(cmd, &f, invocation.ConfigExplicit)
	cmd.Flags().StringArrayVarP(&f.Mappings, "mapping", "m", nil, "check only the mapping `NAME`; may be repeated")
	cmd.Flags().StringVar(&of.kind, "kind", "", "the kind of policy in the files: `KIND` is "+kindList()+" (default: detected)")
	cmd.Flags().BoolVar(&of.json, "json", false, "print the report as one JSON object")
	cmd.Flags().BoolVar(&of.sarif, "sarif", false, "print the report as SARIF 2.1.0, for code scanning")
	return cmd
}

func kindList() string {
	var names []string
	for _, k := range access.Kinds() {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

func checkPolicies(ctx context.Context, p invocation.Process, args []string, f invocation.Flags, of checkFlags) error {
	if of.json && of.sarif {
		return exit.Usage(errors.New("check policies: give --json or --sarif, not both"))
	}
	kind := access.Kind(of.kind)
	if kind != "" && !slices.Contains(access.Kinds(), kind) {
		return usage.UnknownWord("check policies: --kind", kind, access.Kinds())
	}
	o := lint.Options{Mappings: f.Mappings}
	if err := checkStdin(f, args); err != nil {
		return err
	}
	if f.Config != "" {
		c, _, _, err := invocation.Load(p, f, invocation.Gate()...)
		if err != nil {
			return err
		}
		o.Config = c
	}
	var files []document.File
	for _, arg := range args {
		file, err := policyFile(ctx, p, arg)
		if ctx.Err() != nil {
			return err
		}
		if err != nil {
			return exit.Usage(fmt.Errorf("read policy: %w", err))
		}
		file.Kind = kind
		files = append(files, file)
	}
	report, err := lint.Check(files, o)
	if err != nil {
		return exit.Usage(err)
	}
	if err := printReport(p.Stdout, report, of); err != nil {
		return err
	}
	return verdict(report)
}

// checkStdin rejects a command line that names standard input more than once.
func checkStdin(f invocation.Flags, args []string) error {
	readers := 0
	if f.Config == invocation.StandardInput && f.IsReadOnce() {
		readers++
	}
	for _, arg := range args {
		if arg == invocation.StandardInput || arn.Is(arg) && strings.HasSuffix(arg, "="+invocation.StandardInput) {
			readers++
		}
	}
	if readers < 2 {
		return nil
	}
	return exit.WithHint(exit.Usage(errors.New("check policies: - is named more than once, but standard input can be read only once")), "save one of the inputs to a file")
}

// policyFile reads the file that an argument names as FILE or as ARN=FILE. If a file has the whole
// argument ARN=FILE as its name, policyFile reads that file.
func policyFile(ctx context.Context, p invocation.Process, arg string) (document.File, error) {
	file := document.File{Name: arg}
	if target, name, ok := strings.Cut(arg, "="); ok && arn.Is(target) {
		if _, err := os.Stat(arg); err != nil {
			file.Name, file.Target = name, target
		}
	}
	read := func() ([]byte, error) { return p.ReadFile(file.Name) }
	if file.Name == invocation.StandardInput {
		read = func() ([]byte, error) { return io.ReadAll(cmp.Or[io.Reader](p.Stdin, strings.NewReader(""))) }
	}
	var err error
	file.Data, err = invocation.ReadUntil(ctx, "policy check", read)
	return file, err
}

func printReport(w io.Writer, r lint.Report, of checkFlags) error {
	switch {
	case of.sarif:
		text, err := r.SARIF()
		if err != nil {
			return err
		}
		_, err = printable.JSON(w).Write(text)
		return err
	case of.json:
		e := json.NewEncoder(printable.JSON(w))
		e.SetEscapeHTML(false)
		return e.Encode(r)
	}
	report.Findings(w, r)
	return nil
}

func verdict(r lint.Report) error {
	if !r.Wrong() {
		return nil
	}
	e := &exit.FindingsError{}
	for _, f := range r.Findings {
		switch f.Severity {
		case rule.SeverityError:
			e.Errors++
		case rule.SeverityWarning:
			e.Warnings++
		case rule.SeverityNote:
		}
	}
	return e
}
