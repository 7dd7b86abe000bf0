using Apache.Arrow;
using Flows.Core;
using Flows.Core.Accounting;
using Flows.Core.Facts;
using Flows.Transport.Log;

namespace Flows.Transport.Intake;

/// <summary>
/// The server's end of the wire: checks each batch, keeps it once in a durable log, and hands the log to the sealer. Thread safe; one sealer.
/// </summary>
public sealed partial class Intake : IDisposable
{
    // What one read hands to the sealer: about 100 MB unpacked.
    private const int UnsealedRowsMax = 500_000;
    private const long UnsealedBytesMax = 64 << 20;

    private readonly SegmentLog log;
    private readonly IntakeOptions options;
    private readonly TimeProvider time;
    private readonly string ledgerPath;
    private readonly PendingRows pending = new();
    private readonly SemaphoreSlim validators = new(Environment.ProcessorCount, Environment.ProcessorCount);
    private readonly Lock gate = new();
    private readonly BatchLedger ledger;
    private long bytesInFlight;
    private long batchesInFlight;
    private ulong sealedBefore;

    private Intake(string directory, ulong sealedBefore, IntakeOptions options, TimeProvider time, SegmentLog log)
    {
        (this.sealedBefore, this.options, this.time, this.log) = (sealedBefore, options, time, log);
        ledgerPath = Path.Combine(directory, "ledger");
        ledger = ReadLedger();
        Rows = new HopAccount("intake", "rows", pending.Total);
        Batches = new HopAccount("intake_batches", "batches", () => Interlocked.Read(ref batchesInFlight));
    }

    /// <summary>
    /// The hop <c>intake</c> in rows of stored batches: seen = forwarded (sealed) + dropped{log_corrupt} + in flight (logged, not sealed). Rows that an
    /// earlier process left unsealed count as seen when the intake opens.
    /// </summary>
    public HopAccount Rows { get; }

    /// <summary>
    /// The hop <c>intake_batches</c> in batches and reports that arrived: seen = forwarded (stored) + dropped{duplicate, malformed, node_mismatch, too_large, busy,
    /// unavailable, cancelled} + in flight. What is dropped as busy or unavailable stays with its collector.
    /// </summary>
    public HopAccount Batches { get; }

    /// <summary>The damage met on disk so far.</summary>
    public LogDamage Damage => log.Damage;

    /// <summary>Bytes of the log.</summary>
    public long LogBytes => log.Bytes;

    /// <summary>Opens or creates the log of a store.</summary>
    /// <param name="directory">The store's <c>log</c> directory.</param>
    /// <param name="sealedBefore">One past the position of the last record that the store's manifest says is sealed; 0 for a new store.</param>
    /// <param name="options">Limits.</param>
    /// <param name="time">The clock that stamps records.</param>
    /// <exception cref="FlowsException">Another process uses the directory, or it cannot be written.</exception>
    public static Intake Open(string directory, ulong sealedBefore, IntakeOptions options, TimeProvider time)
    {
        // A log that lost files must not give out a position again that the manifest calls sealed.
        var log = SegmentLog.Open(directory, options.Log with { SequenceMin = Math.Max(sealedBefore, options.Log.SequenceMin) });
        try
        {
            var intake = new Intake(directory, sealedBefore, options, time, log);
            intake.Recount();
            intake.Trim(sealedBefore);
            return intake;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            log.Dispose();
            throw new FlowsException(ExitCode.Failed, $"Cannot read the intake log in {directory}: {fault.Message}; check the disk.", fault);
        }
    }

    /// <summary>Takes a batch from a collector. When it returns Stored or Duplicate, no crash or power cut loses the batch.</summary>
    /// <exception cref="OperationCanceledException">The collector went away; it will send the batch again.</exception>
    public async Task<ReceiveResult> ReceiveAsync(BatchHeader header, Stream body, CancellationToken cancellation)
    {
        Batches.Seen();
        Interlocked.Increment(ref batchesInFlight);
        var counted = "cancelled";
        try
        {
            var result = await ReceiveCheckedAsync(header, body, cancellation).ConfigureAwait(false);
            counted = result.Outcome switch
            {
                ReceiveOutcome.Stored => "",
                ReceiveOutcome.Duplicate => "duplicate",
                ReceiveOutcome.Malformed => "malformed",
                ReceiveOutcome.NodeMismatch => "node_mismatch",
                ReceiveOutcome.TooLarge => "too_large",
                ReceiveOutcome.Busy => "busy",
                _ => "unavailable",
            };
            return result;
        }
        finally
        {
            Interlocked.Decrement(ref batchesInFlight);
            if (counted.Length == 0)
            {
                Batches.Forwarded();
            }
            else
            {
                Batches.Dropped(counted);
            }
        }
    }

    /// <summary>
    /// Counts a request whose headers <see cref="BatchHeader.TryParse"/> refused, and gives the answer to it.
    /// </summary>
    public ReceiveResult RefuseHeader(string problem)
    {
        Batches.Seen();
        Batches.Dropped("malformed");
        return new ReceiveResult(ReceiveOutcome.Malformed, problem, null);
    }

    /// <summary>Takes a batch from this process, durable like any other; its node_id and scope_id are the caller's affair.</summary>
    public Task<ReceiveResult> AppendLocalAsync(BatchId id, string node, string scope, RecordBatch batch, CancellationToken cancellation) =>
        AppendLocalAsync(new Envelope(id, BatchKind.Flows, node, scope, time.NowUs(), batch.Length, FlowIpc.Write(batch)), cancellation);

    /// <summary>Takes an account report from this process.</summary>
    public Task<ReceiveResult> AppendLocalAsync(BatchId id, string node, string scope, AccountReport report, CancellationToken cancellation) =>
        AppendLocalAsync(new Envelope(id, BatchKind.Account, node, scope, time.NowUs(), Rows: 0, TransportJson.Write(report)), cancellation);

    /// <summary>
    /// The oldest durable records that are not sealed, at most so many and about 500,000 rows; the same ones again until they are trimmed. The caller
    /// disposes the batches.
    /// </summary>
    public IReadOnlyList<IntakeRecord> ReadUnsealed(int recordsMax)
    {
        var unsealed = new List<IntakeRecord>();
        var from = sealedBefore;
        var end = log.DurableEnd;
        var rows = 0;
        var records = log.Read(from, recordsMax, UnsealedBytesMax);
        foreach (var record in records)
        {
            if (Envelope.TryDecode(record.Payload) is { } envelope && Decode(record.Sequence, envelope) is { } decoded)
            {
                if (unsealed.Count > 0 && rows + envelope.Rows > UnsealedRowsMax)
                {
                    decoded.Flows?.Dispose();
                    break;
                }

                unsealed.Add(decoded);
                rows += envelope.Rows;
            }
        }

        // What lies before the last good record and did not come with them is lost to damage.
        var good = unsealed.Select(record => record.Position).ToHashSet();
        Rows.Dropped("log_corrupt", pending.TakeMissing(from, unsealed.Count > 0 ? unsealed[^1].Position : records.Count == 0 ? end : records[^1].Sequence + 1, good));
        return unsealed;
    }

    /// <summary>
    /// The store holds everything before this position, and its manifest says so durably. What the log then deletes stays known by
    /// the ledger's snapshot, which is on disk first.
    /// </summary>
    public void Trim(ulong beforePosition)
    {
        sealedBefore = Math.Max(sealedBefore, beforePosition);
        Rows.Forwarded(pending.TakeBefore(sealedBefore));
        if (!log.CanTrimBefore(sealedBefore))
        {
            return;
        }

        byte[] snapshot;
        lock (gate)
        {
            snapshot = ledger.Write(time.NowUs());
        }

        // The snapshot must not know a batch that a power cut can still take from the log: its collector would be told Duplicate.
        if (!log.Flush())
        {
            return;
        }

        try
        {
            DurableFiles.Replace(ledgerPath, snapshot);
            log.TrimBefore(sealedBefore);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // Without a snapshot nothing is deleted; the next trim tries again, and a log that fills up refuses batches.
        }
    }

    public void Dispose()
    {
        log.Dispose();
        validators.Dispose();
    }

    private async Task<ReceiveResult> ReceiveCheckedAsync(BatchHeader header, Stream body, CancellationToken cancellation)
    {
        // 1. Admission, by the bytes that the body announces or may have.
        var bytesMax = header.Kind == BatchKind.Flows ? options.BodyBytesMax : options.AccountBytesMax;
        if (header.ContentLength > bytesMax)
        {
            return TooLarge(bytesMax);
        }

        var reserved = header.ContentLength ?? bytesMax;
        try
        {
            if (Interlocked.Add(ref bytesInFlight, reserved) > options.BytesInFlightMax)
            {
                return NotNow(ReceiveOutcome.Busy, "the server is receiving as much as it can");
            }

            // 2. A batch that is known need not be read.
            if (Locked(() => ledger.Contains(header.Id)))
            {
                return await DuplicateAsync(cancellation).ConfigureAwait(false);
            }

            // 3. Body.
            if (await BoundedBody.ReadAsync(body, (int)reserved, cancellation).ConfigureAwait(false) is not { } bytes)
            {
                return TooLarge(bytesMax);
            }

            // 4. Validation, 5. the log.
            var (rows, refusal) = await ValidateAsync(header, bytes, cancellation).ConfigureAwait(false);
            return refusal ?? await StoreAsync(
                new Envelope(header.Id, header.Kind, header.Node, header.Scope, time.NowUs(), rows, bytes), cancellation).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Add(ref bytesInFlight, -reserved);
        }
    }
}
