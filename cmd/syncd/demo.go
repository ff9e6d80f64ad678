package main

import (
	"errors"

	"syncd/internal/demo"
	"syncd/internal/exit"
	"syncd/internal/invocation"

	"github.com/spf13/cobra"
)

func demoCommand(p invocation.Process) *cobra.Command {
	var from, serve, dir string
	var json, empty bool
	cmd := &cobra.Command{
		Use:   "demo [--from DIR] [--json] | demo --serve ADDRESS --dir DIR [--from DIR | --empty]",
		Short: "Show how syncd works, with two simulated AWS accounts in this process",
		Long: `demo simulates two AWS accounts in this process, with buckets, keys, a role and policies, and copies objects from one account to the other with real requests over loopback. Nothing leaves this machine.

With --serve the two accounts keep running, so that you can use syncd and any S3 client with them. demo writes three files into DIR:
syncd.yaml is a configuration; credentials is an AWS credentials file with a profile for the administrator of each account (owner, consumer);
the file named environment has shell settings that make syncd and the AWS CLI use these accounts. It removes the ledger of an earlier demo from DIR, because the accounts of that demo no
longer exist.

With --empty each account has an administrator and nothing else: no bucket, key, role or policy. S3, KMS, IAM, STS and
CloudFormation answer the AWS CLI, and policies are enforced, so that you can rehearse all of docs/getting-started.md. The shell
settings set the endpoint in AWS_ENDPOINT_URL, not in a configuration. syncd accepts an endpoint without TLS only from the
configuration, so this endpoint uses TLS.
DIR/ca.pem is the CA certificate of the endpoint.` + exit.Help("demo", 0, 1, 2, 3, 130),
		Example: "  syncd demo\n  syncd demo --from /usr/share/doc --json\n  syncd demo --serve 127.0.0.1:9000 --dir /tmp/syncd-demo\n" +
			"  syncd demo --serve 127.0.0.1:9000 --dir /tmp/rehearsal --empty",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (serve == "") != (dir == "") {
				return exit.Usage(errors.New("demo: --serve and --dir go together: the address to serve on, and the folder for syncd.yaml and credentials"))
			}
			if empty && (serve == "" || from != "") {
				return exit.Usage(errors.New("demo: --empty requires --serve and excludes --from, because an empty account has no bucket to fill"))
			}
			if serve != "" {
				return demo.Serve(cmd.Context(), p, demo.Options{From: from, Address: serve, Dir: dir, Empty: empty})
			}
			return demo.Tell(cmd.Context(), p, demo.Options{From: from, JSON: json})
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "fill the source with the files of `DIR`, which are kept in memory (default: generated objects)")
	cmd.Flags().BoolVar(&json, "json", false, "print the summaries of the passes as one JSON object on the last line")
	cmd.Flags().StringVar(&serve, "serve", "", "keep the two accounts running on the loopback `ADDRESS`")
	cmd.Flags().StringVar(&dir, "dir", "", "with --serve, write syncd.yaml, credentials and environment into `DIR`")
	cmd.Flags().BoolVar(&empty, "empty", false, "serve accounts without buckets, keys, roles and policies; you create these with the AWS CLI")
	return cmd
}
