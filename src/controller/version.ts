/** The version of the controller and of the protocol between controllers. */

export const controllerVersion = '0.2.0';

/** Raised when an older controller could misunderstand a newer one. */
export const protocolVersion = 1;
