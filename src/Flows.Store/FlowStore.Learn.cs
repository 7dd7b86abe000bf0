using Flows.Core;
using Flows.Core.Identity;

namespace Flows.Store;

/// <summary>What inventories say: the one door into the ledger, and what can be asked of it in memory.</summary>
public sealed partial class FlowStore
{
    /// <summary>Buckets of edges that were built again because of names, since the store was opened.</summary>
    internal long RebuiltBuckets { get; private set; }

    /// <summary>The ledger in memory: open intervals, and those that ended within <see cref="StoreOptions.LateWindow"/>. Any thread may ask it.</summary>
    public LiveLedger Ledger
    {
        get
        {
            if (stored.Live is { } live)
            {
                return live;
            }

            lock (gate)
            {
                return stored.Load(manifest, time.NowUs());
            }
        }
    }

    /// <summary>
    /// Adds what is new, durably, and rebuilds the edges of exactly the minutes about which names changed. Statements whose content already holds
    /// are passed over, so an inventory may be told again. A call costs a few files and a swap of the manifest, so callers gather the news of a
    /// second or more.
    /// </summary>
    public void Learn(InventoryNews news)
    {
        if (news.IsEmpty)
        {
            return;
        }

        lock (gate)
        {
            try
            {
                LearnAll(news);
            }
            catch
            {
                stored.Reset();
                throw;
            }
        }
    }

    /// <summary>As <see cref="Learn"/>, for statements about who held addresses.</summary>
    public void AddIdentities(IReadOnlyList<IdentityInterval> statements) => Learn(new InventoryNews { Identities = statements });

    /// <summary>Every statement of the ledger, in the order learned; of one origin where one is given. Reads files.</summary>
    public IReadOnlyList<IdentityInterval> Identities(string? origin = null)
    {
        lock (gate)
        {
            return LedgerFiles.Read(engine, directory, manifest, origin is null ? "" : $"WHERE origin = {Engine.Text(origin)}");
        }
    }

    /// <summary>What a cluster's watcher said that still holds, or ended lately: what it needs to know to go on where it stopped.</summary>
    public InventoryNews HeldOf(string cluster, string scope)
    {
        var ledger = Ledger;
        lock (gate)
        {
            return new InventoryRows(engine, directory).Open(manifest, cluster, scope) with
            {
                Identities = [.. ledger.Standing().Where(said => said.Origin == Origins.Kubernetes && said.Entity.Cluster == cluster)],
            };
        }
    }

    private void LearnAll(InventoryNews news)
    {
        var now = time.NowUs();
        var next = manifest with { Sequence = manifest.Sequence + 1 };
        IReadOnlyList<AnswerChange> changes = [];
        if (news.Identities.Count > 0)
        {
            (next, changes) = stored.Learn(next, news.Identities, now);
        }

        next = inventory.Append(next, news);
        if (ReferenceEquals(next.Tables, manifest.Tables))
        {
            return;
        }

        next = merge.Fold(next, now);
        var rebuilt = changes.Count == 0 ? 0 : dirty.Mark(next, changes);
        Commit(rebuilt == 0 ? next : RollUp(next));
        RebuiltBuckets += rebuilt;
    }
}
