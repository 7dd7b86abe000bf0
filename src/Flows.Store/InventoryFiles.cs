using Flows.Core.Identity;

namespace Flows.Store;

/// <summary>Appends what inventories say about services, their backends and other objects.</summary>
internal sealed class InventoryFiles(Engine engine, StoreFiles files)
{
    public Manifest Append(Manifest next, InventoryNews news)
    {
        if (news.ServicePorts.Count > 0)
        {
            RowWriter.ServicePorts(engine, "stated", news.ServicePorts);
            next = Written(next, StoreLayout.ServicePorts);
        }

        if (news.Backends.Count > 0)
        {
            RowWriter.Backends(engine, "stated", news.Backends);
            next = Written(next, StoreLayout.Backends);
        }

        if (news.Objects.Count > 0)
        {
            RowWriter.ClusterObjects(engine, "stated", news.Objects);
            next = Written(next, StoreLayout.ClusterObjects);
        }

        return next;
    }

    private Manifest Written(Manifest next, string table)
    {
        var file = files.Write(StoreLayout.Plain(table, StoreLayout.SealTier, next.Sequence), "SELECT * FROM stated", FileMerge.StatementOrder, "learned_at");
        engine.Execute("DROP TABLE stated");
        return next.With(table, next.FilesOf(table).Append(file!));
    }
}
