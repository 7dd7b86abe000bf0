using System.Text.Json;
using System.Threading.Channels;
using Apache.Arrow;
using Flows.Core;
using Flows.Core.Accounting;
using Flows.Core.Facts;
using Flows.Transport.Log;

namespace Flows.Transport;

/// <summary>
/// What a collector has not yet handed to the server, on disk. Any number of writers, one <see cref="Sender"/>.
/// </summary>
/// <remarks>
/// Every opening begins a new epoch, so a batch's name (collector, epoch, sequence) is never given to other data, whatever the disk did to
/// the newest records. Batches left by an earlier process keep their names.
/// </remarks>
public sealed class Spool : IDisposable
{
    private readonly SegmentLog log;
    private readonly string directory;
    private readonly string node;
    private readonly string scope;
    private readonly SpoolOptions options;
    private readonly TimeProvider time;
    private readonly CollectorFile identity;
    private readonly PendingRows pending = new();
    private readonly DeadLetters dead;
    private readonly Lock appendGate = new();
    private readonly Channel<bool> arrived = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    // The sender's own.
    private ulong cursor;
    private ulong cursorOnDisk;
    private long cursorWrittenAt;

    private Spool(string directory, string node, string scope, SpoolOptions options, TimeProvider time, SegmentLog log, CollectorFile identity, ulong cursor)
    {
        (this.directory, this.node, this.scope, this.options, this.time, this.log, this.identity) = (directory, node, scope, options, time, log, identity);
        this.cursor = cursorOnDisk = cursor;
        dead = new DeadLetters(Path.Combine(directory, "dead"), options.DeadBytesMax);
        Account = new HopAccount("spool", "rows", pending.Total);
    }

    /// <summary>
    /// The hop <c>spool</c> in rows: seen = forwarded (acknowledged) + dropped{spool_full, spool_error, spool_corrupt, server_rejected} + in flight.
    /// Rows that an earlier process left count as seen when the spool opens; of a record lost to damage before that, the rows are unknown and
    /// it counts as one.
    /// </summary>
    public HopAccount Account { get; }

    /// <summary>Names this collector for good.</summary>
    public Guid Collector => identity.Collector;

    /// <summary>Bytes on disk, acknowledged but untrimmed ones included.</summary>
    public long Bytes => log.Bytes;

    /// <summary>The damage met on disk so far.</summary>
    public LogDamage Damage => log.Damage;

    /// <summary>Opens or creates the spool of a directory for the batches of this node and address scope.</summary>
    /// <exception cref="FlowsException">Another process uses the directory, or it cannot be written.</exception>
    public static Spool Open(string directory, string node, string scope, SpoolOptions options, TimeProvider time)
    {
        var cursor = SpoolCursor.Read(Path.Combine(directory, "cursor"));
        var log = SegmentLog.Open(directory, options.Log with { SequenceMin = Math.Max(cursor, options.Log.SequenceMin) });
        try
        {
            var spool = new Spool(directory, node, scope, options, time, log, BeginEpoch(directory, time), cursor);
            spool.Recount();
            return spool;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            log.Dispose();
            throw new FlowsException(ExitCode.Failed, $"Cannot write to the spool in {directory}: {fault.Message}; free space or name another directory.", fault);
        }
    }

    /// <summary>Keeps a batch until the server has it. The caller still owns the batch.</summary>
    /// <returns>True when it is kept; false when it was refused and its rows counted as dropped.</returns>
    public ValueTask<bool> AppendAsync(RecordBatch batch, CancellationToken cancellation) =>
        AppendAsync(BatchKind.Flows, FlowIpc.Write(batch), batch.Length, cancellation);

    /// <summary>Keeps an account report until the server has it. Reports travel in order with the batches.</summary>
    public ValueTask<bool> AppendAsync(AccountReport report, CancellationToken cancellation) =>
        AppendAsync(BatchKind.Account, TransportJson.Write(report), rows: 0, cancellation);

    /// <summary>Notes on disk how far the server has acknowledged, and lets go of the directory. Deletes nothing that was not acknowledged.</summary>
    public void Dispose()
    {
        TryWriteCursor();
        log.Dispose();
    }

    /// <summary>The oldest batch that the server has not acknowledged; null when there is none. Only durable batches are handed out.</summary>
    internal (ulong Position, Envelope Batch)? Peek()
    {
        while (true)
        {
            if (log.DurableEnd < log.Next)
            {
                log.Flush();
            }

            var end = log.DurableEnd;
            var records = log.Read(cursor, recordsMax: 1, bytesMax: long.MaxValue);
            Account.Dropped("spool_corrupt", pending.TakeBefore(records.Count == 0 ? end : records[0].Sequence));
            if (records.Count == 0)
            {
                return null;
            }

            if (Envelope.TryDecode(records[0].Payload) is { } envelope)
            {
                var id = envelope.Id with { Sequence = records[0].Sequence };
                return (records[0].Sequence, envelope with { Id = id });
            }

            dead.Keep($"{records[0].Sequence:x16}.record", records[0].Payload.Span, "the record is not of a format that this version knows");
            Account.Dropped("spool_corrupt", pending.TakeBefore(records[0].Sequence + 1));
            cursor = records[0].Sequence + 1;
        }
    }

    /// <summary>Returns when there may be something new to send.</summary>
    internal async Task WaitAsync(CancellationToken cancellation) => await arrived.Reader.ReadAsync(cancellation).ConfigureAwait(false);

    /// <summary>The server has everything up to and including this position.</summary>
    internal void Acknowledge(ulong position)
    {
        Account.Forwarded(pending.TakeBefore(position + 1));
        Advance(position + 1);
    }

    /// <summary>The server refuses this batch for good: it is set aside, and the queue moves on.</summary>
    internal void Reject(ulong position, Envelope batch, string reason)
    {
        var extension = batch.Kind == BatchKind.Flows ? "arrow" : "json";
        dead.Keep($"{batch.Id.Collector:N}-{batch.Id.Epoch}-{batch.Id.Sequence}.{extension}", batch.Body.Span, reason);
        Account.Dropped("server_rejected", pending.TakeBefore(position + 1));
        Advance(position + 1);
    }

    private async ValueTask<bool> AppendAsync(BatchKind kind, byte[] body, int rows, CancellationToken cancellation)
    {
        var payload = new Envelope(new BatchId(identity.Collector, identity.Epoch, 0), kind, node, scope, time.NowUs(), rows, body).Encode();
        Account.Seen(rows);
        AppendResult result;
        lock (appendGate)
        {
            result = log.Append(payload);
            if (result.Outcome == AppendOutcome.Appended)
            {
                pending.Add(result.Sequence, rows);
            }
        }

        if (result.Outcome != AppendOutcome.Appended)
        {
            Account.Dropped(result.Outcome == AppendOutcome.Full ? "spool_full" : "spool_error", rows);
            return false;
        }

        // A sync that fails leaves the record in memory, and the next append or send tries again: it is kept, though not yet durable.
        await log.DurableAsync(result.Sequence, cancellation).ConfigureAwait(false);
        arrived.Writer.TryWrite(true);
        return true;
    }

    private void Advance(ulong to)
    {
        cursor = to;
        if (log.CanTrimBefore(cursor) || time.GetElapsedTime(cursorWrittenAt) >= options.CursorLagMax)
        {
            TryWriteCursor();
        }
    }

    private void TryWriteCursor()
    {
        if (cursor == cursorOnDisk)
        {
            return;
        }

        try
        {
            SpoolCursor.Write(Path.Combine(directory, "cursor"), cursor);
            (cursorOnDisk, cursorWrittenAt) = (cursor, time.GetTimestamp());
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // A lagging cursor costs a resend after a crash. On a full disk it must not keep the trim below from freeing space:
            // a segment that is missing behind the cursor is skipped.
        }

        log.TrimBefore(cursor);
    }

    private void Recount()
    {
        var position = cursor;
        while (log.Read(position, recordsMax: 64, bytesMax: 16 << 20) is { Count: > 0 } records)
        {
            foreach (var record in records)
            {
                var rows = Envelope.TryDecode(record.Payload)?.Rows ?? 1;
                pending.Add(record.Sequence, rows);
                Account.Seen(rows);
            }

            position = records[^1].Sequence + 1;
        }

        var lost = log.Damage.RegionsSkipped + log.Damage.SegmentsQuarantined;
        Account.Seen(lost);
        Account.Dropped("spool_corrupt", lost);
        arrived.Writer.TryWrite(true);
    }

    /// <summary>
    /// The epoch is the time of opening where that is later than the last one, so that two machines that start from copies of one disk
    /// part ways.
    /// </summary>
    private static CollectorFile BeginEpoch(string directory, TimeProvider time)
    {
        var path = Path.Combine(directory, "collector.json");
        var last = new CollectorFile(Guid.NewGuid(), 0);
        try
        {
            last = File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), TransportJson.Default.CollectorFile) ?? last : last;
        }
        catch (JsonException)
        {
            // A damaged name is replaced by a new one: what is spooled carries its own.
        }

        var current = last with { Epoch = Math.Max(last.Epoch + 1, (ulong)Math.Max(0, time.NowUs())) };
        DurableFiles.Replace(path, JsonSerializer.SerializeToUtf8Bytes(current, TransportJson.Default.CollectorFile));
        return current;
    }
}
