namespace Flows.Capture.Conntrack;

/// <summary>
/// Told of each connection that enters the tracker's table, on the source's thread, before any row of it. It must be quick, and must not throw.
/// </summary>
/// <param name="orig">The original direction, as its first packet came in.</param>
/// <param name="reply">The direction of the answers: who really answers, and whom they reach.</param>
/// <param name="isNew">The kernel announced it just now (a NEW event); false for one that was found by a dump or in mid-life.</param>
public delegate void ConntrackSeen(in ConntrackTuple orig, in ConntrackTuple reply, bool isNew);
