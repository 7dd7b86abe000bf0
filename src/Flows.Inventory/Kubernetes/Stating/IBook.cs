using Flows.Inventory.Kubernetes.Watching;

namespace Flows.Inventory.Kubernetes.Stating;

/// <summary>What is known of one or several resources, so that a list can be compared with it.</summary>
internal interface IBook
{
    void BeginList(ResourceKind kind);

    /// <summary>Ends what the list did not bring, and tells the ids of it.</summary>
    IReadOnlyList<ulong> EndList(ResourceKind kind, long atUs);

    void Unread(ResourceKind kind, string uid);

    /// <summary>Under which id an object is kept; 0 where uids do not lead to it.</summary>
    ulong IdOf(ResourceKind kind, string uid);

    long Count(ResourceKind kind);
}
