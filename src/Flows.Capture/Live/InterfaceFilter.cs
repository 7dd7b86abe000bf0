namespace Flows.Capture.Live;

/// <summary>Which packets an <see cref="InterfaceSource"/> takes from the kernel.</summary>
public enum InterfaceFilter : byte
{
    /// <summary>All of them, for flows and names.</summary>
    All = 0,

    /// <summary>Only those from or to port 53, for a node whose flows come from conntrack and whose names come from DNS.</summary>
    NamesOnly = 1,
}
