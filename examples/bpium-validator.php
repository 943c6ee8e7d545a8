<?php
// A validator that was written for Bpium's webhooks, in plain PHP: the status decides, and the reply may bring
// a message. It refuses orders over a limit, and fills in a discount while the form is being edited.
//
//   WEBHOOK_SECRET=a-secret-of-yours php -S 127.0.0.1:9004 examples/bpium-validator.php
//
// Subscribe it with the dialect `bpium` and the same secret.
declare(strict_types=1);

const TOTAL_MAX = 10000;
const DISCOUNT_FROM = 5000;
const DISCOUNT_PERCENT = 5;

// Should anything below break, that is what is answered: neither an allow nor a refusal.
http_response_code(500);

function answer(int $status, array $reply = []): never
{
    http_response_code($status);
    header('Content-Type: application/json');
    // An empty array would be written as a list.
    echo json_encode((object) $reply, JSON_UNESCAPED_UNICODE);
    exit;
}

/** X-Hook-Signature is the base64 of HMAC-MD5 over the body as it was sent, byte for byte. */
function isSigned(string $body, string $signature, string $secret): bool
{
    return hash_equals(base64_encode(hash_hmac('md5', $body, $secret, true)), $signature);
}

function refuseOverLimit(array $values): void
{
    $total = $values['total'] ?? 0;
    if (!is_numeric($total) || $total <= TOTAL_MAX) {
        return;
    }
    answer(400, [
        'message' => [
            'title' => 'Over the limit',
            'text' => "An order of $total has to be split: the limit is " . TOTAL_MAX . '.',
        ],
    ]);
}

function discountFor(array $values): int
{
    $total = $values['total'] ?? 0;
    return is_numeric($total) && $total >= DISCOUNT_FROM ? DISCOUNT_PERCENT : 0;
}

$secret = (string) getenv('WEBHOOK_SECRET');
if ($secret === '') {
    error_log('Set WEBHOOK_SECRET to the secret of the subscription.');
    answer(500);
}

$body = (string) file_get_contents('php://input');
if (!isSigned($body, $_SERVER['HTTP_X_HOOK_SIGNATURE'] ?? '', $secret)) {
    error_log('refused: the signature is wrong');
    answer(401);
}

$said = json_decode($body, true);
$hook = $said['hook'] ?? null;
$payload = $said['payload'] ?? null;
if (!is_array($payload) || !is_string($hook['event'] ?? null)) {
    answer(500);
}

switch ($hook['event']) {
    case 'record.before.created':
    case 'record.before.updated':
        refuseOverLimit($payload['values'] ?? []);
        answer(200);
    case 'record.updating':
        // Not array_merge: ids of fields may be numbers, which it would count anew.
        $form = ($payload['values'] ?? []) + ($payload['allValues'] ?? []);
        answer(200, ['values' => ['discount' => discountFor($form)]]);
    default:
        // A notification. The number shows whether one was missed.
        $line = "verified #{$hook['sequenceId']} {$hook['event']} ";
        $text = json_encode($payload, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES);
        file_put_contents('php://stdout', "$line$text\n");
        answer(200);
}
