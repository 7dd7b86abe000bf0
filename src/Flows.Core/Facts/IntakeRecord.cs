using Apache.Arrow;
using Flows.Core.Accounting;
namespace Flows.Core.Facts;
/// <summary>One acknowledged record of the server's log: a batch of flows, or a collector's account.</summary>
public sealed record IntakeRecord(ulong Position, BatchId Id, string Node, string Scope, long ReceivedAtUs, RecordBatch? Flows, AccountReport? Account);
