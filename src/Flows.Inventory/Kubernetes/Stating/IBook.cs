using Flows.Inventory.Kubernetes.Watching;

namespace Flows.Inventory.Kubernetes.Stating;

/// <summary>What is known of one or several resources, so that a list can be compared with it.</summary>
internal interface IBook
{
    void BeginList(ResourceKind kind);

    void EndList(ResourceKind kind, long atUs);

    void Unread(ResourceKind kind, string uid);

    long Count(ResourceKind kind);
}
