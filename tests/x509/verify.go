// verify ROOTS CHAIN [NAME]: whether Go's crypto/x509 verifies the chain (the leaf first) for server and client, and
// for the name. Prints "ok" and the leaf's claims, "OID=HEX" each; or why not, and exits with 1.
package main

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
	"time"
)

func fail(v ...interface{}) {
	fmt.Println(v...)
	os.Exit(1)
}

func read(path string) (certs []*x509.Certificate) {
	data, err := os.ReadFile(path)
	if err != nil {
		fail(err)
	}
	for {
		var block *pem.Block
		block, data = pem.Decode(data)
		if block == nil {
			return certs
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			fail(err)
		}
		certs = append(certs, c)
	}
}

func main() {
	roots, others := x509.NewCertPool(), x509.NewCertPool()
	for _, c := range read(os.Args[1]) {
		roots.AddCert(c)
	}
	chain := read(os.Args[2])
	for _, c := range chain[1:] {
		others.AddCert(c)
	}
	for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
		o := x509.VerifyOptions{Roots: roots, Intermediates: others, CurrentTime: time.Now(),
			KeyUsages: []x509.ExtKeyUsage{usage}}
		if len(os.Args) > 3 {
			o.DNSName = os.Args[3]
		}
		if _, err := chain[0].Verify(o); err != nil {
			fail(err)
		}
	}
	fmt.Println("ok")
	for _, e := range chain[0].Extensions {
		if oid := e.Id.String(); strings.HasPrefix(oid, "1.3.9903.2.") {
			fmt.Println(oid + "=" + hex.EncodeToString(e.Value))
		}
	}
}
