package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"

	"ferry/feed"
	"ferry/remote/network"
	"ferry/remote/network/sigv4"
)

const (
	sqsWait = 20 // seconds for which a question is kept; more it does not do
	sqsMost = 10 // messages at once; more it does not give
)

// sqsQueue is a queue of Amazon SQS, by the two requests that it takes.
type sqsQueue struct {
	client   *http.Client
	creds    *credentials.Credentials
	address  string // of the server
	queue    string // its URL
	signer   *sigv4.Signer
	waitTime int
}

func newSQS(u feed.URL, n network.Options) (feed.Source, error) {
	region, host := u.Options["region"], u.Hosts[0]
	if region == "" {
		// sqs.REGION.amazonaws.com, or .cn behind it
		if parts := strings.Split(host, "."); len(parts) >= 4 && parts[0] == "sqs" && parts[2] == "amazonaws" {
			region = parts[1]
		}
	}
	if region == "" {
		return nil, errors.New("the region of the queue is not known: write sqs.REGION.amazonaws.com, or add ?region=REGION")
	}
	q := &sqsQueue{client: newClient(n), signer: &sigv4.Signer{Region: region, Service: "sqs"}, waitTime: sqsWait}
	q.address = "https://" + host + "/"
	if !secure(u, true) {
		q.address = "http://" + host + "/"
	}
	q.queue = q.address + u.Path
	if u.User != "" {
		q.creds = credentials.NewStaticV4(u.User, u.Password, "")
	} else {
		q.creds = credentials.NewChainCredentials([]credentials.Provider{
			&credentials.EnvAWS{}, &credentials.FileAWSCredentials{Profile: u.Options["profile"]}, &credentials.IAM{},
		})
	}
	return &reader{queue: q}, nil
}

// do makes one request.
func (q *sqsQueue) do(ctx context.Context, action string, sends map[string]any, answer any) error {
	sends["QueueUrl"] = q.queue
	body, err := json.Marshal(sends)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, q.address, bytes.NewReader(body))
	if err != nil {
		return errors.New("the address of the queue is no URL")
	}
	who, err := q.creds.GetWithContext(&credentials.CredContext{Client: q.client, Context: ctx})
	if err != nil {
		return err
	}
	if who.AccessKeyID == "" {
		return errors.New("there are no keys for the queue: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile, or give the machine a role")
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "AmazonSQS."+action)
	keys := sigv4.Keys{ID: who.AccessKeyID, Secret: who.SecretAccessKey, Token: who.SessionToken}
	q.signer.Sign(r, r.URL.EscapedPath(), sigv4.Sum(body), keys, time.Now())
	return call(q.client, r, func(b []byte) error { return json.Unmarshal(b, answer) })
}

func (q *sqsQueue) receive(ctx context.Context, atOnce bool) ([]queued, error) {
	wait := q.waitTime
	if atOnce {
		wait = 0
	}
	var got struct {
		Messages []struct{ Body, ReceiptHandle string }
	}
	err := q.do(ctx, "ReceiveMessage", map[string]any{"MaxNumberOfMessages": sqsMost, "WaitTimeSeconds": wait}, &got)
	if err != nil {
		return nil, err
	}
	var all []queued
	for i, m := range got.Messages {
		all = append(all, queued{feed.Message{Body: []byte(m.Body)}, strconv.Itoa(i), m.ReceiptHandle})
	}
	return all, nil
}

func (q *sqsQueue) drop(ctx context.Context, all []queued) error {
	var entries []map[string]string
	for _, m := range all {
		entries = append(entries, map[string]string{"Id": m.id, "ReceiptHandle": m.receipt})
	}
	var got struct{ Failed []struct{ Code string } }
	if err := q.do(ctx, "DeleteMessageBatch", map[string]any{"Entries": entries}, &got); err != nil {
		return err
	}
	if len(got.Failed) > 0 { // they come again
		return errors.New("the queue does not drop a message: " + got.Failed[0].Code)
	}
	return nil
}
