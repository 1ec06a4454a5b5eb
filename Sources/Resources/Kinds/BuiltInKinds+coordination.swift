extension BuiltInKinds {
  public static let leases = definition(
    #"""
    spec:
      group: coordination.k8s.io
      scope: Namespaced
      names: {kind: Lease, plural: leases, singular: lease}
      versions:
      - name: v1
        served: true
        additionalPrinterColumns:
        - {name: Holder, type: string, jsonPath: .spec.holderIdentity, description: Who holds it.}
        - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
        schema:
          openAPIV3Schema:
            type: object
            description: Who leads, and until when.
            properties:
              spec:
                type: object
                properties:
                  holderIdentity: {type: string, nullable: true, description: Who holds the lease; empty for nobody.}
                  leaseDurationSeconds: {type: integer, format: int32, minimum: 1, nullable: true, description: How long a candidate waits after renewTime before it takes the lease.}
                  acquireTime: {type: string, format: date-time, nullable: true, description: When the lease was acquired.}
                  renewTime: {type: string, format: date-time, nullable: true, description: When the holder renewed it last.}
                  leaseTransitions: {type: integer, format: int32, minimum: 0, nullable: true, description: How often the lease changed hands.}
                  strategy: {type: string, nullable: true, description: How the leader is chosen where candidates are coordinated.}
                  preferredHolder: {type: string, nullable: true, description: To whom the holder should hand over.}
    """#)
}
