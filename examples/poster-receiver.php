<?php
// A receiver that was written for Poster's webhooks, in plain PHP: it checks `verify` and prints what it was told.
//
//   WEBHOOK_SECRET=a-secret-of-yours php -S 127.0.0.1:9005 examples/poster-receiver.php
//
// Subscribe it with the dialect `poster` and the same secret. Only a 200 counts as delivered; after anything
// else the gateway tries again, for two days.
declare(strict_types=1);

// Should anything below break, that is what is answered, and it comes again.
http_response_code(500);

/** `verify` is the MD5 of what the message says, with the secret at the end. */
function isVerified(array $told, string $secret): bool
{
    $parts = [$told['account'], $told['object'], $told['object_id'], $told['action']];
    if (isset($told['data'])) {
        $parts[] = $told['data'];
    }
    $parts[] = $told['time'];
    $parts[] = $secret;
    return hash_equals(md5(implode(';', $parts)), $told['verify']);
}

function isMessage(mixed $told): bool
{
    if (!is_array($told)) {
        return false;
    }
    foreach (['account', 'object', 'object_id', 'action', 'time', 'verify'] as $name) {
        if (!is_string($told[$name] ?? null) && !($name === 'object_id' && is_int($told[$name] ?? null))) {
            return false;
        }
    }
    return is_string($told['data'] ?? '');
}

$secret = (string) getenv('WEBHOOK_SECRET');
if ($secret === '') {
    error_log('Set WEBHOOK_SECRET to the secret of the subscription.');
    exit;
}

$told = json_decode((string) file_get_contents('php://input'), true);
if (!isMessage($told) || !isVerified($told, $secret)) {
    http_response_code(403);
    error_log('refused: this is not from somebody who knows the secret');
    exit;
}

// `data` is a JSON text of its own. A message may come twice: a real receiver keeps what it has seen.
$data = isset($told['data']) ? " {$told['data']}" : '';
$line = "verified {$told['object']} {$told['action']} {$told['object_id']}$data\n";
file_put_contents('php://stdout', $line);
http_response_code(200);
