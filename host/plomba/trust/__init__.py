"""Keys, signed objects, certificates and the verification of records. Nothing here touches a network or a port."""
