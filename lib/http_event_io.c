#include <errno.h>
#include <sys/socket.h>

#include "crypto_tls.h"
#include "http_event.h"

static enum ctr_chan failed(enum ctr_chan again)
{
	return errno == EAGAIN || errno == EWOULDBLOCK ? again : CTR_CHAN_FAIL;
}

static enum ctr_chan plain_read(void *ch, void *p, size_t n, size_t *got)
{
	struct ctr_http_link *k = ch;
	ssize_t r;

	do
		r = recv(k->fd, p, n, 0);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return failed(CTR_CHAN_READ);
	*got = (size_t)r;
	return r ? CTR_CHAN_OK : CTR_CHAN_END;
}

static enum ctr_chan plain_write(void *ch, const void *p, size_t n, size_t *put)
{
	struct ctr_http_link *k = ch;
	ssize_t r;

	do
		r = send(k->fd, p, n, MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return failed(CTR_CHAN_WRITE);
	*put = (size_t)r;
	return CTR_CHAN_OK;
}

static void plain_shut(void *ch)
{
	struct ctr_http_link *k = ch;

	shutdown(k->fd, SHUT_WR);
}

const struct ctr_chan_ops ctr_http_plain = {
	.read = plain_read,
	.write = plain_write,
	.shut = plain_shut,
};

static enum ctr_chan tls_handshake(void *ch)
{
	return ctr_tls_handshake(((struct ctr_http_link *)ch)->tls);
}

static enum ctr_chan tls_read(void *ch, void *p, size_t n, size_t *got)
{
	return ctr_tls_read(((struct ctr_http_link *)ch)->tls, p, n, got);
}

static enum ctr_chan tls_write(void *ch, const void *p, size_t n, size_t *put)
{
	return ctr_tls_write(((struct ctr_http_link *)ch)->tls, p, n, put);
}

static bool tls_pending(void *ch)
{
	return ctr_tls_pending(((struct ctr_http_link *)ch)->tls);
}

static bool tls_stale(void *ch)
{
	return ctr_tls_stale(((struct ctr_http_link *)ch)->tls);
}

static const uint8_t *tls_peer(void *ch, size_t *n)
{
	return ctr_tls_peer(((struct ctr_http_link *)ch)->tls, n);
}

static void tls_shut(void *ch)
{
	ctr_tls_shut(((struct ctr_http_link *)ch)->tls);
	plain_shut(ch);
}

const struct ctr_chan_ops ctr_http_tls = {
	.handshake = tls_handshake,
	.read = tls_read,
	.write = tls_write,
	.pending = tls_pending,
	.stale = tls_stale,
	.peer = tls_peer,
	.shut = tls_shut,
};
