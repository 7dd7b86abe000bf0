using Flows.Core;
using Flows.Core.Facts;
using Flows.Transport.Log;

namespace Flows.Transport.Intake;

// The steps of receiving, and recovery when opened.
public sealed partial class Intake
{
    private ReceiveResult NotNow(ReceiveOutcome outcome, string reason) => new(outcome, reason, options.RetryAfter);

    private static ReceiveResult TooLarge(int bytesMax) =>
        new(ReceiveOutcome.TooLarge, $"the body is larger than {bytesMax} bytes, or than it announced", null);

    /// <summary>The rows of the batch, or the refusal. As many are unpacked at once as there are processors, which bounds memory.</summary>
    private async Task<(int Rows, ReceiveResult? Refusal)> ValidateAsync(BatchHeader header, byte[] bytes, CancellationToken cancellation)
    {
        await validators.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            string problem;
            if (header.Kind == BatchKind.Account)
            {
                if (AccountCheck.Read(bytes, header.Node, out problem) is not null)
                {
                    return (0, null);
                }
            }
            else
            {
                using var batch = BatchValidator.Read(bytes, StableId.OfNode(header.Node), StableId.OfScope(header.Scope), anyTime: false, out problem);
                if (batch is not null)
                {
                    return (batch.Length, null);
                }
            }

            var outcome = problem is BatchValidator.NodeMismatch or BatchValidator.ScopeMismatch ? ReceiveOutcome.NodeMismatch : ReceiveOutcome.Malformed;
            return (0, new ReceiveResult(outcome, problem, null));
        }
        finally
        {
            validators.Release();
        }
    }

    private async Task<ReceiveResult> AppendLocalAsync(Envelope envelope, CancellationToken cancellation)
    {
        Batches.Seen();
        var result = await StoreAsync(envelope, cancellation).ConfigureAwait(false);
        if (result.Outcome == ReceiveOutcome.Stored)
        {
            Batches.Forwarded();
        }
        else
        {
            Batches.Dropped(result.Outcome == ReceiveOutcome.Duplicate ? "duplicate" : "unavailable");
        }

        return result;
    }

    /// <summary>
    /// Logs and remembers under one lock, so that of two copies that arrive together one is stored; answers once the copy is durable.
    /// </summary>
    private async Task<ReceiveResult> StoreAsync(Envelope envelope, CancellationToken cancellation)
    {
        var payload = envelope.Encode();
        AppendResult result;
        lock (gate)
        {
            if (ledger.Contains(envelope.Id))
            {
                result = new AppendResult(AppendOutcome.Appended, ulong.MaxValue);
            }
            else if (!ledger.HasRoom)
            {
                result = new AppendResult(AppendOutcome.Full, 0);
            }
            else if ((result = log.Append(payload)).Outcome == AppendOutcome.Appended)
            {
                ledger.Add(envelope.Id, envelope.AtUs);
                pending.Add(result.Sequence, envelope.Rows);
                Rows.Seen(envelope.Rows);
            }
        }

        if (result.Sequence == ulong.MaxValue)
        {
            return await DuplicateAsync(cancellation).ConfigureAwait(false);
        }

        if (result.Outcome != AppendOutcome.Appended)
        {
            return NotNow(ReceiveOutcome.Unavailable, result.Outcome == AppendOutcome.Full ? "the server's log is full" : "the server's disk does not take writes");
        }

        // Not cancelled by the collector's going away: the record is in the log, and the books say so.
        return await log.DurableAsync(result.Sequence, CancellationToken.None).ConfigureAwait(false)
            ? new ReceiveResult(ReceiveOutcome.Stored, "", null)
            : NotNow(ReceiveOutcome.Unavailable, "the server's disk does not take writes");
    }

    /// <summary>The first copy may be on its way to the disk still: it is acknowledged when it has arrived there.</summary>
    private async Task<ReceiveResult> DuplicateAsync(CancellationToken cancellation) =>
        log.Next is 0 || await log.DurableAsync(log.Next - 1, cancellation).ConfigureAwait(false)
            ? new ReceiveResult(ReceiveOutcome.Duplicate, "", null)
            : NotNow(ReceiveOutcome.Unavailable, "the server's disk does not take writes");

    /// <summary>What was valid when it came is valid still; it is checked again because the disk is not trusted either.</summary>
    private static IntakeRecord? Decode(ulong position, Envelope envelope)
    {
        var record = new IntakeRecord(position, envelope.Id, envelope.Node, envelope.Scope, envelope.AtUs, Flows: null, Account: null);
        if (envelope.Kind == BatchKind.Account)
        {
            return AccountCheck.Read(envelope.Body.Span, envelope.Node, out _) is { } account ? record with { Account = account } : null;
        }

        var (nodeId, scopeId) = (StableId.OfNode(envelope.Node), StableId.OfScope(envelope.Scope));
        return BatchValidator.Read(envelope.Body.Span, nodeId, scopeId, anyTime: true, out _) is { } flows ? record with { Flows = flows } : null;
    }

    private BatchLedger ReadLedger()
    {
        if (!File.Exists(ledgerPath))
        {
            return new BatchLedger();
        }

        if (BatchLedger.TryRead(File.ReadAllBytes(ledgerPath)) is { } read)
        {
            return read;
        }

        // Batches whose acknowledgement was lost before the damage may be stored twice; refusing to start would cost more.
        File.Move(ledgerPath, ledgerPath + ".bad", overwrite: true);
        return new BatchLedger();
    }

    /// <summary>The ledger is its snapshot and the whole log; what waits is the log from the sealed position on.</summary>
    private void Recount()
    {
        var position = log.First;
        while (log.Read(position, recordsMax: 64, bytesMax: 16 << 20) is { Count: > 0 } records)
        {
            foreach (var record in records)
            {
                if (Envelope.TryDecode(record.Payload) is { } envelope)
                {
                    ledger.Add(envelope.Id, envelope.AtUs);
                    if (record.Sequence >= sealedBefore)
                    {
                        pending.Add(record.Sequence, envelope.Rows);
                        Rows.Seen(envelope.Rows);
                    }
                }
            }

            position = records[^1].Sequence + 1;
        }

        var lost = log.Damage.RegionsSkipped + log.Damage.SegmentsQuarantined;
        Rows.Seen(lost);
        Rows.Dropped("log_corrupt", lost);
    }

    private T Locked<T>(Func<T> read)
    {
        lock (gate)
        {
            return read();
        }
    }
}
